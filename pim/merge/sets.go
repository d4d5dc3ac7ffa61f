package merge

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// lists are properties whose value is a list, of which the elements are what counts: programs put them in one line or in several.
var lists = map[string]bool{"CATEGORIES": true, "NICKNAME": true, "RESOURCES": true, "EXDATE": true, "RDATE": true, "FREEBUSY": true}

// sets merges lines as a set: what either side added is in it, and what either side deleted is not.
func sets(l three) outcome {
	want := targets(elements(l.base), elements(l.ours), elements(l.theirs))
	out := outcome{kept: make([]*contentline.Line, len(l.ours))}
	for i := range l.ours {
		out.kept[i] = take(&l.ours[i], want)
	}
	for i := range l.theirs {
		if line := take(&l.theirs[i], want); line != nil {
			out.added = append(out.added, *line)
		}
	}
	return out
}

// targets are how often each element shall be there.
func targets(base, ours, theirs []string) map[string]int {
	count := func(list []string) map[string]int {
		out := map[string]int{}
		for _, e := range list {
			out[e]++
		}
		return out
	}
	b, o, t := count(base), count(ours), count(theirs)
	out := map[string]int{}
	for _, e := range slices.Concat(ours, theirs) {
		switch {
		case o[e] == b[e]:
			out[e] = t[e]
		case t[e] == b[e]:
			out[e] = o[e]
		default:
			out[e] = max(o[e], t[e])
		}
	}
	return out
}

// elements are the elements of lines by what they mean.
func elements(lines []contentline.Line) []string {
	var out []string
	for i := range lines {
		keys, _ := split(&lines[i])
		out = append(out, keys...)
	}
	return out
}

// split takes a line apart: what each element means, and how it is written. Most lines are one element.
func split(l *contentline.Line) (keys, raw []string) {
	if !lists[l.Name] || l.Param("ENCODING") != "" || l.Has("ENCODING", "QUOTED-PRINTABLE") || l.Has("ENCODING", "BASE64") {
		return []string{exact(l)}, []string{l.Value}
	}
	start := 0
	for i := 0; i < len(l.Value); i++ {
		switch l.Value[i] {
		case '\\':
			i++
		case ',':
			raw = append(raw, l.Value[start:i])
			start = i + 1
		}
	}
	raw = append(raw, l.Value[start:])
	for _, e := range raw {
		element := contentline.Line{Group: l.Group, Name: l.Name, Params: l.Params, Value: e}
		keys = append(keys, exact(&element))
	}
	return keys, raw
}

// take is a line with as many of its elements as are still wanted, which it takes off; nil if none is. A line that keeps all is as it was.
func take(l *contentline.Line, want map[string]int) *contentline.Line {
	keys, raw := split(l)
	var left []string
	for i, k := range keys {
		if want[k] > 0 {
			want[k]--
			left = append(left, raw[i])
		}
	}
	switch len(left) {
	case 0:
		return nil
	case len(raw):
		return l
	}
	return &contentline.Line{Group: l.Group, Name: l.Name, Params: l.Params, Value: strings.Join(left, ",")}
}

// regroup gives other names to groups that both sides made up for different things, e.g. a number with its label.
func regroup(base, ours, theirs *contentline.Component) *contentline.Component {
	b, o, t := groups(base), groups(ours), groups(theirs)
	renamed := map[string]string{}
	n := 0
	for _, l := range theirs.Props {
		g := strings.ToUpper(l.Group)
		if g == "" || renamed[g] != "" || b[g] != nil || o[g] == nil || same(o[g], t[g]) {
			continue
		}
		for n++; b[fmt.Sprint("ITEM", n)] != nil || o[fmt.Sprint("ITEM", n)] != nil || t[fmt.Sprint("ITEM", n)] != nil; n++ {
		}
		renamed[g] = fmt.Sprint("item", n)
	}
	if len(renamed) == 0 {
		return theirs
	}
	out := *theirs
	out.Props = slices.Clone(theirs.Props)
	for i := range out.Props {
		if l := &out.Props[i]; renamed[strings.ToUpper(l.Group)] != "" {
			rename(l, renamed[strings.ToUpper(l.Group)])
		}
	}
	return &out
}

func groups(c *contentline.Component) map[string][]contentline.Line {
	out := map[string][]contentline.Line{}
	for _, l := range c.Props {
		if g := strings.ToUpper(l.Group); g != "" {
			out[g] = append(out[g], l)
		}
	}
	return out
}

// rename changes the group and leaves the rest of the line as it is written.
func rename(l *contentline.Line, group string) {
	if rest, ok := bytes.CutPrefix(l.Raw, []byte(l.Group+".")); ok {
		l.Raw = append([]byte(group+"."), rest...)
	} else {
		l.Raw = nil
	}
	l.Group = group
}
