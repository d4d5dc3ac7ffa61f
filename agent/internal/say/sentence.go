package say

import "strings"

// tooLong bounds a sentence: what is longer is a text.
const tooLong = 2000

func (c *catalog) sentence(s string) string {
	said, _ := c.translate(s)
	return said
}

// translate tells, too, whether all of a sentence was known: as a whole, or in its parts.
func (c *catalog) translate(s string) (said string, known bool) {
	if len(s) > tooLong {
		return s, false
	}
	for _, way := range []func(string) (string, bool){c.constant, c.below, c.date, c.whole, c.headed} {
		if said, ok := way(s); ok {
			return said, true
		}
	}
	said, known = c.parts(s, seams)
	if !known {
		if wide, ok := c.wide(s); ok {
			return wide, true
		}
	}
	return said, known
}

// constant translates a sentence without values.
func (c *catalog) constant(s string) (said string, ok bool) {
	m, ok := c.constants()[s]
	if !ok {
		return s, false
	}
	return (&pattern{message: m}).format(c, nil), true
}

// below translates what stands below a constant, as in "not in sync: this; that", and headed what stands below anything that is known.
func (c *catalog) below(s string) (said string, known bool) { return c.divided(s, c.constant) }

// headed is described at below.
func (c *catalog) headed(s string) (said string, known bool) { return c.divided(s, c.whole) }

func (c *catalog) divided(s string, by func(string) (string, bool)) (said string, known bool) {
	head, rest, _ := strings.Cut(s, ": ")
	if rest == "" {
		return s, false
	}
	head, headKnown := by(head)
	if !headKnown {
		return s, false
	}
	rest, restKnown := c.translate(rest)
	return head + ": " + rest, restKnown
}

// whole translates what one pattern covers.
func (c *catalog) whole(s string) (said string, ok bool) {
	for _, p := range c.patterns() {
		if values, ok := p.match(s, false); ok {
			return p.say(c, values), true
		}
	}
	return s, false
}

// wide is whole for what has several sentences in it, if they are known.
func (c *catalog) wide(s string) (said string, ok bool) {
	for _, p := range c.patterns() {
		if values, ok := p.match(s, true); ok && c.knows(&p, values) {
			return p.say(c, values), true
		}
	}
	return s, false
}

func (c *catalog) knows(p *pattern, values []string) bool {
	for i, v := range values {
		if _, known := c.translate(v); p.isSentence(i) && !known {
			return false
		}
	}
	return true
}

// seams are where sentences are put together, the widest first.
var seams = []string{"\n", "; ", ": "}

// tooMany is of how many parts no sentence consists.
const tooMany = 20

// parts translates a sentence part by part.
func (c *catalog) parts(s string, seams []string) (said string, known bool) {
	if len(seams) == 0 {
		return s, false
	}
	parts := strings.Split(s, seams[0])
	if len(parts) == 1 || len(parts) > tooMany {
		return c.parts(s, seams[1:])
	}
	var out []string
	known = true
	for len(parts) > 0 {
		n, said, ok := c.longest(parts, seams)
		out, parts, known = append(out, said), parts[n:], known && ok
	}
	return strings.Join(out, seams[0]), known
}

// longest translates as many of the first parts as are one message, or else the first alone. Messages may have seams in them.
func (c *catalog) longest(parts, seams []string) (n int, said string, known bool) {
	for n := len(parts); n > 0; n-- {
		if said, ok := c.one(strings.Join(parts[:n], seams[0])); ok {
			return n, said, true
		}
	}
	said, known = c.parts(parts[0], seams[1:])
	return 1, said, known
}

// one translates what is one message.
func (c *catalog) one(s string) (said string, ok bool) {
	for _, way := range []func(string) (string, bool){c.constant, c.date, c.whole} {
		if said, ok := way(s); ok {
			return said, true
		}
	}
	return s, false
}
