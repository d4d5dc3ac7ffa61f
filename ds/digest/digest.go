// Package digest compares what two sides hold without sending it: a tree of hashes over the items by their id, so that equal sides need one short
// answer, and different ones find the items that differ in a number of steps that grows with the logarithm of their number. It is pure.
package digest

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// Leaf is one item: its id on the device, and what it is.
type Leaf struct{ ID, Sum string }

// Sum is what an item is: the hash of its body, and its flags.
func Sum(hash [32]byte, flags string) string {
	sum := sha256.Sum256(append(hash[:], flags...))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// Set is the items of one side, by id.
type Set []Leaf

// New sorts leaves.
func New(leaves []Leaf) Set {
	slices.SortFunc(leaves, func(a, b Leaf) int { return strings.Compare(a.ID, b.ID) })
	return leaves
}

// under are the leaves whose id begins with prefix.
func (s Set) under(prefix string) Set {
	from, _ := slices.BinarySearchFunc(s, prefix, func(l Leaf, p string) int { return strings.Compare(l.ID, p) })
	to := from
	for to < len(s) && strings.HasPrefix(s[to].ID, prefix) {
		to++
	}
	return s[from:to]
}

func (s Set) digest() string {
	h := sha256.New()
	for _, l := range s {
		h.Write([]byte(l.ID + "\x00" + l.Sum + "\x00"))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}

// few is how many leaves are named one by one.
const few = 16

// Answer is what one side says of the items below a prefix: a line for each of them if they are few, else one for each letter that follows.
type Answer struct {
	Leaves bool
	Lines  map[string]string // id, or prefix with one more letter → sum or digest
}

// Answer describes the items below a prefix. asLeaves is set by who has few there, so that the other side answers alike.
func (s Set) Answer(prefix string, asLeaves bool) Answer {
	below := s.under(prefix)
	a := Answer{Leaves: asLeaves || len(below) <= few, Lines: map[string]string{}}
	if a.Leaves {
		for _, l := range below {
			a.Lines[l.ID] = l.Sum
		}
		return a
	}
	for len(below) > 0 {
		n := min(len(prefix)+1, len(below[0].ID))
		next := below[0].ID[:n]
		part := below.under(next)
		if n == len(prefix) { // an id that ends here
			part = below[:1]
		}
		a.Lines[next] = part.digest()
		below = below[len(part):]
	}
	return a
}

// String is the answer as text, Parse reads it.
func (a Answer) String() string {
	var b strings.Builder
	b.WriteString(map[bool]string{true: "leaves\n", false: "node\n"}[a.Leaves])
	for _, k := range slices.Sorted(keys(a.Lines)) {
		b.WriteString(k + " " + a.Lines[k] + "\n")
	}
	return b.String()
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// Parse is described at String.
func Parse(text string) (Answer, error) {
	a := Answer{Lines: map[string]string{}}
	r := bufio.NewScanner(strings.NewReader(text))
	for n := 0; r.Scan(); n++ {
		switch line := r.Text(); {
		case n == 0 && line != "leaves" && line != "node":
			return a, fmt.Errorf("cannot read digest: it begins with %q", line)
		case n == 0:
			a.Leaves = line == "leaves"
		default:
			id, sum, ok := strings.Cut(line, " ")
			if !ok {
				return a, fmt.Errorf("cannot read digest: line %d has no sum", n+1)
			}
			a.Lines[id] = sum
		}
	}
	return a, r.Err()
}

// Compare says where this side and the other's answer about a prefix differ: ids of items that differ, and prefixes to ask about next.
func (s Set) Compare(prefix string, theirs Answer) (items, next []string) {
	ours := s.Answer(prefix, theirs.Leaves)
	if ours.Leaves && !theirs.Leaves { // we have few, they have many: look at each part
		for k := range theirs.Lines {
			next = append(next, k)
		}
		for _, l := range s.under(prefix) {
			if k := l.ID[:min(len(prefix)+1, len(l.ID))]; theirs.Lines[k] == "" {
				items = append(items, l.ID)
			}
		}
		slices.Sort(next)
		return items, next
	}
	seen := map[string]bool{}
	for _, side := range []map[string]string{ours.Lines, theirs.Lines} {
		for k := range side {
			if seen[k] || ours.Lines[k] == theirs.Lines[k] {
				continue
			}
			seen[k] = true
			if ours.Leaves {
				items = append(items, k)
			} else {
				next = append(next, k)
			}
		}
	}
	slices.Sort(items)
	slices.Sort(next)
	return items, next
}
