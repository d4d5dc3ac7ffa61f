package page

import "strings"

// pair is a line of one version beside that of the other.
type pair struct {
	This, That       string
	HasThis, HasThat bool
	Differ           bool
}

// Bounds of what is compared: the work grows with the product of both.
const (
	maxLines = 400
	maxLine  = 300
)

// sideBySide pairs the lines of two texts, by the longest sequence that both have; cut tells that there is more.
func sideBySide(this, that string) (out []pair, cut bool) {
	a, cutA := lines(this)
	b, cutB := lines(that)
	common := lengths(a, b)
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, pair{a[i], b[j], true, true, false})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out = append(out, pair{This: a[i], HasThis: true, Differ: true})
			i++
		default:
			out = append(out, pair{That: b[j], HasThat: true, Differ: true})
			j++
		}
	}
	return join(out), cutA || cutB
}

// lengths[i][j] is how many lines a[i:] and b[j:] have in common.
func lengths(a, b []string) [][]int {
	out := make([][]int, len(a)+1)
	for i := range out {
		out[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if out[i][j] = max(out[i+1][j], out[i][j+1]); a[i] == b[j] {
				out[i][j] = out[i+1][j+1] + 1
			}
		}
	}
	return out
}

// join puts what only one side has beside what only the other has in the same place.
func join(list []pair) (out []pair) {
	free := 0 // index in out of the first line of this run that has nothing beside it
	for _, p := range list {
		switch {
		case !p.Differ:
			out = append(out, p)
			free = len(out)
		case p.HasThat && free < len(out) && !out[free].HasThat:
			out[free].That, out[free].HasThat = p.That, true
			free++
		case p.HasThis && free < len(out) && !out[free].HasThis:
			out[free].This, out[free].HasThis = p.This, true
			free++
		default:
			out = append(out, p)
		}
	}
	return out
}

func lines(text string) (out []string, cut bool) {
	out = strings.Split(strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
	if text == "" {
		return nil, false
	}
	if len(out) > maxLines {
		out, cut = out[:maxLines], true
	}
	for i, l := range out {
		if len(l) > maxLine {
			out[i], cut = strings.ToValidUTF8(l[:maxLine], "")+"…", true
		}
	}
	return out, cut
}
