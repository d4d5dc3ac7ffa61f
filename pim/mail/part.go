package mail

import (
	"bytes"
	"strconv"
	"strings"
)

// Bounds of a structure that is still looked into. What lies deeper or comes after is one piece.
const (
	maxDepth = 32 // as everywhere (design.md §10); real mail stays below 10
	maxParts = 10000
)

// part is one entity of the MIME tree as places in the message: nothing is copied.
type part struct {
	msg            []byte
	from, body, to int // msg[from:body] is its header, msg[body:to] its content
	media          media
	disposition    string
	encoding       string // transfer encoding, lower case
	name           string
	text           bool // text of the message and no attachment
	opaque         bool // its structure is not to be trusted or not to be touched
	subs           []*part
	aside          [2]span     // before the first and after the last part: nobody sees it
	leftOut        *Attachment // it stands for something that was left out
}

type span struct{ from, to int }

func (p *part) content() []byte { return p.msg[p.body:p.to] }

type parser struct {
	msg   []byte
	parts int
}

func parseTree(msg []byte) *part {
	t := parser{msg: msg}
	return t.part(span{0, len(msg)}, nil, 0)
}

func (t *parser) part(at span, in *part, depth int) *part {
	h, body := head(t.msg[at.from:at.to])
	p := &part{msg: t.msg, from: at.from, body: at.from + body, to: at.to}
	t.parts++
	p.describe(&h, in)
	if strings.HasPrefix(p.media.typ, "multipart/") {
		t.multipart(p, depth)
	}
	return p
}

// describe fills in what the header says.
func (p *part) describe(h *header, in *part) {
	p.media = parseMedia(h.get("content-type"))
	if !strings.Contains(p.media.typ, "/") {
		p.media.typ = defaultType(in)
	}
	d := parseMedia(h.get("content-disposition"))
	p.disposition, p.name = d.typ, name(d, p.media)
	p.encoding = bare(h.get("content-transfer-encoding"))
	p.text = p.isText(in)
	if v := h.get(fieldLeftOut); v != "" {
		m := parseMedia(v)
		size, _ := strconv.ParseInt(m.params["size"], 10, 64)
		p.leftOut = &Attachment{Name: words(m.params["name"]), Type: m.typ, Size: max(size, 0), LeftOut: true}
	}
	if p.media.typ == "message/rfc822" && p.name == "" {
		inner, _ := head(p.content())
		p.name = words(inner.get("subject"))
	}
}

func defaultType(in *part) string {
	if in != nil && in.media.typ == "multipart/digest" {
		return "message/rfc822" // RFC 2046 §5.1.5
	}
	return "text/plain"
}

// reports are types that people read though they are not called text.
var reports = map[string]bool{"message/delivery-status": true, "message/disposition-notification": true, "message/feedback-report": true}

// isText: a text with a file name is an attachment, unless it is the message or a form of its text.
func (p *part) isText(in *part) bool {
	if !strings.HasPrefix(p.media.typ, "text/") && !reports[p.media.typ] {
		return false
	}
	if in == nil || in.media.typ == "multipart/alternative" {
		return true
	}
	return p.disposition != "attachment" && p.name == ""
}

// sealed tells whether p is the message in a form that only keys open.
func (p *part) sealed() bool {
	switch p.media.typ {
	case "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime":
		return true
	}
	return false
}

// boundary of a multipart, "" if there is none that could stand in a line of its own.
func (p *part) boundary() string {
	b := strings.TrimRight(p.media.params["boundary"], " \t")
	if !strings.HasPrefix(p.media.typ, "multipart/") || strings.ContainsAny(b, "\r\n") {
		return ""
	}
	return b
}

func (t *parser) multipart(p *part, depth int) {
	boundary := p.boundary()
	p.opaque = boundary == "" || depth >= maxDepth || p.sealed() || p.encoding == "base64" || p.encoding == "quoted-printable"
	if p.opaque {
		return
	}
	at, aside := split(t.msg, span{p.body, p.to}, boundary, maxParts-t.parts)
	if len(at) == 0 {
		p.opaque = true
		return
	}
	p.aside = aside
	for _, s := range at {
		p.subs = append(p.subs, t.part(s, p, depth+1))
	}
}

// split finds the parts between delimiter lines. The line break before a delimiter belongs to it (RFC 2046 §5.1.1). A missing last delimiter
// is common and harmless. More than limit parts are none.
func split(msg []byte, in span, boundary string, limit int) (parts []span, aside [2]span) {
	delimiter := []byte("--" + boundary)
	aside = [2]span{{in.from, in.from}, {in.to, in.to}}
	open := -1 // where the part begins that has no end yet
	for i := in.from; i < in.to; {
		n := bytes.Index(msg[i:in.to], delimiter)
		if n < 0 {
			break
		}
		line := i + n
		if i = line + len(delimiter); line > in.from && msg[line-1] != '\n' {
			continue
		}
		end := lineEnd(msg[:in.to], line)
		last, ok := delimits(msg[i:end])
		if !ok {
			continue
		}
		i = end
		if open >= 0 {
			parts = append(parts, span{open, max(open, before(msg, line))})
		} else {
			aside[0].to = max(in.from, before(msg, line))
		}
		open = end
		if last {
			aside[1].from, open = end, -1
			break
		}
		if len(parts) >= limit {
			return nil, aside
		}
	}
	if open >= 0 {
		parts = append(parts, span{open, in.to})
	}
	return parts, aside
}

// delimits tells what stands behind the boundary of a delimiter line: nothing, or the mark of the last one.
func delimits(rest []byte) (last, ok bool) {
	rest = bytes.TrimRight(rest, " \t\r\n")
	return string(rest) == "--", len(rest) == 0 || string(rest) == "--"
}

// before is where the line break before a line begins.
func before(msg []byte, line int) int {
	if line > 0 && msg[line-1] == '\n' {
		line--
	}
	if line > 0 && msg[line-1] == '\r' {
		line--
	}
	return line
}

func (p *part) attachment() Attachment {
	return Attachment{Name: p.name, Type: p.media.typ, Size: p.size()}
}
