package syncml

import "strings"

// slab hands out values from arrays that double in length, so that a message of many commands costs few allocations and a short one
// little memory. Who keeps one value keeps its array; longestArray bounds what that is.
type slab[T any] struct {
	free []T
	size int // of the last array
}

const longestArray = 64

// list is an empty list with room for one value, as most lists of a message need it.
func (s *slab[T]) list() []T {
	if len(s.free) == 0 {
		s.size = min(max(2*s.size, 1), longestArray)
		s.free = make([]T, s.size)
	}
	l := s.free[:0:1]
	s.free = s.free[1:]
	return l
}

// one is a new value.
func (s *slab[T]) one() *T { return &s.list()[:1][0] }

// words makes strings that lie many to an allocation. Who keeps one keeps its chunk; longestChunk bounds what that is.
type words struct {
	chunk strings.Builder // full or not, it never grows again
	size  int             // of the last chunk
}

const longestChunk = 4096

func (w *words) string(b []byte) string {
	if len(b) > longestChunk/16 {
		return string(b)
	}
	if w.chunk.Cap()-w.chunk.Len() < len(b) {
		w.size = min(max(2*w.size, 64), longestChunk)
		w.chunk = strings.Builder{}
		w.chunk.Grow(max(w.size, len(b)))
	}
	start := w.chunk.Len()
	w.chunk.Write(b)
	return w.chunk.String()[start:]
}
