package reconcile

// Brake is when deletions are held until somebody has looked at them: more than Count of them that are more than Percent of a store, in one
// go. A mistake, a lost disk or a broken program must not delete on all sides (pains.md 7). The zero Brake never holds.
type Brake struct{ Count, Percent int }

// DefaultBrake is what is right unless an administrator knows better.
var DefaultBrake = Brake{Count: 20, Percent: 25}

// Holds tells whether n deletions in a store of so many items are too many.
func (b Brake) Holds(n, items int) bool {
	return b.Keeps(n) && n*100 > items*b.Percent
}

// Keeps tells whether n deletions that were too many still are: items that have come since do not make a mistake a smaller one.
func (b Brake) Keeps(n int) bool { return b.Count > 0 && n > b.Count }
