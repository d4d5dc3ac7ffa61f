package kv

// MaxOctets is how much one Update may write in every store, keys and values: somewhat less than the 15 % of Badger's memtable.
const MaxOctets = 320 << 10

const (
	pieceWrites = 6        // of one piece at most
	pieceOctets = 32 << 10 // likewise: six paths as long as they get, and a body
)

// Meter is a Writer that knows whether one more piece of work fits. Rows with long paths fill an Update long before MaxWrites.
type Meter struct {
	Writer
	writes, octets int
}

// full tells that what comes next belongs in another Update.
func (m *Meter) full() bool {
	return m.writes+pieceWrites > MaxWrites || m.octets+pieceOctets > MaxOctets
}

// Set implements Writer.
func (m *Meter) Set(key string, value []byte) error {
	m.writes, m.octets = m.writes+1, m.octets+len(key)+len(value)+entryCost
	return m.Writer.Set(key, value)
}

// Delete implements Writer.
func (m *Meter) Delete(key string) error {
	m.writes, m.octets = m.writes+1, m.octets+len(key)+entryCost
	return m.Writer.Delete(key)
}

// entryCost is what Badger adds to each entry, rounded up.
const entryCost = 16

// InPieces calls fn for each number below n, with as many calls in one Update as it takes. Where an Update fails, those before stay done.
func InPieces(s Store, n int, fn func(w Writer, i int) error) error {
	for i := 0; i < n; {
		from := i
		err := s.Update(func(w Writer) (err error) {
			m := &Meter{Writer: w}
			i, err = m.Fill(from, n, func(i int) error { return fn(m, i) })
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Fill calls fn for the numbers from i below n until no more fits, and returns the one that is next.
func (m *Meter) Fill(i, n int, fn func(int) error) (next int, err error) {
	for ; i < n && !m.full(); i++ {
		if err := fn(i); err != nil {
			return i, err
		}
	}
	return i, nil
}
