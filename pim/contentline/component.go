package contentline

import "strings"

// Component is what stands between a BEGIN and its END. The order of its properties is kept, as is that of the components in it; where
// properties follow a component, they come before it when it is written.
type Component struct {
	Name       string // in upper case; "" for the whole of a file
	Begin, End Line
	Props      []Line
	Subs       []*Component
}

// ParseTree reads a file as a tree. Its root has no name and holds what stands at the top, usually one component. A missing END is
// added where the file or the component around it ends; an END without BEGIN is a property.
func ParseTree(body []byte) *Component {
	root := &Component{}
	open := []*Component{root}
	for _, l := range Parse(body) {
		top := open[len(open)-1]
		switch {
		case l.Name == "BEGIN" && len(open) < maxDepth:
			c := &Component{Name: strings.ToUpper(strings.TrimSpace(l.Value)), Begin: l, End: Line{Name: "END", Value: l.Value}}
			top.Subs = append(top.Subs, c)
			open = append(open, c)
		case l.Name == "END" && closes(open, &l) > 0:
			n := closes(open, &l)
			open[n].End = l
			open = open[:n]
		default:
			top.Props = append(top.Props, l)
		}
	}
	return root
}

// maxDepth bounds how deep components lie in each other: a VALARM in a VEVENT in a VCALENDAR is three.
const maxDepth = 16

// closes is the index of the open component that an END is for, 0 if there is none.
func closes(open []*Component, end *Line) int {
	for i := len(open) - 1; i > 0; i-- {
		if strings.EqualFold(open[i].Name, strings.TrimSpace(end.Value)) {
			return i
		}
	}
	return 0
}

// Lines are the lines of a component with those in it.
func (c *Component) Lines() []Line {
	var out []Line
	bounded := c.Name != "" || c.Begin.Name != "" // the root is not; a component without a name is
	if bounded {
		out = append(out, c.Begin)
	}
	out = append(out, c.Props...)
	for _, s := range c.Subs {
		out = append(out, s.Lines()...)
	}
	if bounded {
		out = append(out, c.End)
	}
	return out
}

// Bytes is the file.
func (c *Component) Bytes() []byte { return Write(c.Lines()) }

// Prop is the first property of a name, nil if there is none.
func (c *Component) Prop(name string) *Line {
	for i := range c.Props {
		if c.Props[i].Name == name {
			return &c.Props[i]
		}
	}
	return nil
}
