package mail

import (
	"bytes"
	"slices"
	"sort"
	"strings"
)

// opaqueLimit is up to which size (octets) a message whose structure cannot be understood is kept whole when a policy has no limit for
// text but wants no attachments: most such messages are text.
const opaqueLimit = 64 << 10

// asideLimit is up to which size what stands before and after the parts of a multipart is kept in any case.
const asideLimit = 1 << 10

// Reduce is msg as far as p wants it. All header fields stay to the octet and in order, and so does what is kept; a part that is left out
// is replaced by one that says so, and a text that is too long is cut between two characters. What is signed or encrypted is kept or
// left out as one. If nothing is left out, msg itself is returned and partial is false. Otherwise the first field is the one that
// Partial reads. msg should be a whole message: a marker that it has already is a field like any other.
func Reduce(msg []byte, p Policy) (out []byte, partial bool) {
	p = p.clean()
	if p.whole() {
		return msg, false
	}
	root := parseTree(msg)
	r := reducer{policy: p, nl: newline(msg), root: root}
	r.budget = p.BodyLimit
	if p.Body == Headers {
		r.leaveOut(root, "")
	} else {
		r.part(root)
	}
	if len(r.edits) == 0 {
		return msg, false
	}
	m := Marker{Policy: p, Size: int64(len(msg)), ID: ID(msg)}
	return m.mark(r.apply(msg), r.nl), true
}

// reducer goes through a message once and notes what to replace.
type reducer struct {
	policy Policy
	nl     string
	root   *part
	state
}

// state is what can be taken back.
type state struct {
	edits  []edit
	budget int64 // octets of text that are left of the limit, if there is one
	cuts   int   // texts that were cut
}

type edit struct {
	span
	with []byte
}

func (r *reducer) replace(from, to int, with []byte) {
	r.edits = append(r.edits, edit{span{from, to}, with})
}

func (r *reducer) apply(msg []byte) []byte {
	sort.SliceStable(r.edits, func(i, j int) bool { return r.edits[i].from < r.edits[j].from })
	var out []byte
	at := 0
	for _, e := range r.edits {
		out = append(append(out, msg[at:e.from]...), e.with...)
		at = e.to
	}
	return append(out, msg[at:]...)
}

func (r *reducer) part(p *part) {
	switch {
	case p.opaque || p.sealed():
		if !r.fits(int64(p.to - p.body)) {
			r.leaveOut(p, "text/plain")
		}
	case p.media.typ == "multipart/signed":
		r.signed(p)
	case p.media.typ == "multipart/alternative":
		r.alternative(p)
	case len(p.subs) > 0:
		r.mixed(p)
	case p.text:
		r.text(p)
	case !r.policy.wants(p.size()):
		r.leaveOut(p, "text/plain")
	}
}

// fits tells whether something that cannot be taken apart is wanted.
func (r *reducer) fits(n int64) bool {
	if r.policy.BodyLimit > 0 {
		ok := n <= r.budget
		if ok {
			r.budget -= n
		}
		return ok
	}
	return n <= opaqueLimit || r.policy.wants(n)
}

// signed keeps all of it, with all forms of its text, if nothing else of what is signed is to be left out.
func (r *reducer) signed(p *part) {
	before, body := r.state, r.policy.Body
	r.policy.Body = Full
	r.part(p.subs[0])
	r.policy.Body = body
	if len(r.edits) > len(before.edits) {
		r.state = before
		r.leaveOut(p, "text/plain")
	}
}

func (r *reducer) mixed(p *part) {
	for _, s := range p.subs {
		r.part(s)
	}
	for _, s := range p.aside {
		n := int64(s.to - s.from)
		if n > asideLimit && (!r.policy.wants(n) || r.policy.BodyLimit > 0 && n > r.policy.BodyLimit) {
			r.replace(s.from, s.to, []byte("["+human(n)+" are "+onServer+"]"))
		}
	}
}

// alternative keeps the main form of a text as far as it is wanted, and others whole or not at all.
func (r *reducer) alternative(p *part) {
	main := mainForm(p)
	budget := r.budget
	r.part(p.subs[main])
	after := r.budget
	for i, s := range p.subs {
		if i == main {
			continue
		}
		before := r.state
		r.budget = budget
		if r.part(s); r.policy.Body == Text || r.cuts > before.cuts || r.replaced(s, before) {
			r.state = before
			r.leaveOut(s, typeLeftOut)
		}
	}
	r.budget = after
}

// replaced tells whether p as a whole was replaced since before.
func (r *reducer) replaced(p *part, before state) bool {
	return slices.ContainsFunc(r.edits[len(before.edits):], func(e edit) bool { return e.span == span{p.from, p.to} })
}

// mainForm is which of several forms of a text is the plainest that says anything.
func mainForm(p *part) int {
	best, rank := 0, 0
	for i, s := range p.subs {
		if n := plainness(s); n > rank {
			best, rank = i, n
		}
	}
	return best
}

func plainness(p *part) int {
	switch {
	case len(bytes.TrimSpace(p.content())) == 0:
		return 0
	case p.text && p.media.typ == "text/plain":
		return 4
	case p.text && p.media.typ == "text/html":
		return 3
	}
	for _, s := range p.subs {
		if plainness(s) >= 3 {
			return 2
		}
	}
	return 1
}

func (r *reducer) text(p *part) {
	n := int64(p.to - p.body)
	switch {
	case r.policy.BodyLimit == 0:
	case n <= r.budget:
		r.budget -= n
	default:
		r.cut(p)
	}
}

func (r *reducer) cut(p *part) {
	with, ok := p.cutText(r.budget, r.nl)
	r.budget = 0
	r.cuts++
	if ok {
		r.replace(p.body, p.to, with)
	} else {
		r.leaveOut(p, "text/plain")
	}
}

// leaveOut replaces a part by one of type typ that says so. What is empty stays. The header of the message itself says what it is, so its
// content becomes a note of that type as far as there can be one.
func (r *reducer) leaveOut(p *part, typ string) {
	switch {
	case len(bytes.TrimSpace(p.content())) == 0:
	case p == r.root:
		r.replace(p.body, p.to, r.rootNote(p))
	default:
		a := p.attachment()
		r.replace(p.from, p.to, placeholder(a, typ, r.nl))
	}
}

func (r *reducer) rootNote(p *part) []byte {
	note := contentNote(p)
	switch boundary := p.boundary(); {
	case boundary != "":
		lines := append([]string{"--" + boundary}, noteHeader("text/plain", note)...)
		lines = append(lines, "", string(noteBody(note, r.nl)), "--"+boundary+"--", "")
		return []byte(strings.Join(lines, r.nl))
	case p.media.typ == "text/html" && p.extendsASCII():
		return encode([]byte("<p>"+note+"</p>"+r.nl), p.encoding, r.nl)
	case strings.HasPrefix(p.media.typ, "text/") && p.extendsASCII() || p.opaque:
		return encode([]byte(note+r.nl), p.encoding, r.nl)
	}
	return nil
}
