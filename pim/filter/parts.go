package filter

import (
	"bytes"
	"encoding/base64"
	"html"
	"io"
	"mime"
	"mime/quotedprintable"
	"regexp"
	"strings"
)

// message notes the facts of a message of RFC 5322.
func (f *Facts) message(body []byte) {
	h, rest := cutHeader(body)
	if len(h["from"])+len(h["to"])+len(h["date"])+len(h["subject"])+len(h["received"])+len(h["message-id"]) == 0 {
		return // no header of a message
	}
	f.Read = true
	f.say("from", addresses(h["from"])...)
	for _, name := range []string{"to", "cc", "bcc"} {
		f.say("to", addresses(h[name])...)
	}
	f.say("subject", decodeWords(h.get("subject")))
	if t, ok := h.received(); ok {
		m := Moment{t.Unix(), t.Unix()}
		f.Begin, f.End = &m, &m
	}
	attached := false
	parts := walker{leaf: func(h header, body []byte) { attached = attached || isAttachment(h) }}
	parts.walk(h, rest, 0)
	if attached || !parts.broken {
		f.Attachment = &attached
	}
}

// maxParts and maxNesting bound how far into a message one looks.
const (
	maxParts   = 1000
	maxNesting = 20
)

// walker visits the parts of a message that hold no others.
type walker struct {
	leaf   func(h header, body []byte)
	seen   int
	broken bool // some of it could not be read
}

func (w *walker) walk(h header, body []byte, depth int) {
	typ, params := mediaType(h)
	switch w.seen++; {
	case w.seen > maxParts || depth > maxNesting:
		w.broken = true
	case !strings.HasPrefix(typ, "multipart/"):
		w.leaf(h, body)
	case params["boundary"] == "":
		w.broken = true
	default:
		for _, p := range w.split(body, params["boundary"]) {
			h, rest := cutHeader(p)
			w.walk(h, rest, depth+1)
		}
	}
}

// split cuts a body at its boundary lines. A missing last one is as if it stood at the end.
func (w *walker) split(body []byte, boundary string) (parts [][]byte) {
	mark := []byte("--" + boundary)
	start, pos := -1, 0
	for line := range bytes.Lines(body) {
		rest, ok := bytes.CutPrefix(line, mark)
		rest = bytes.TrimSpace(rest)
		if ok && (len(rest) == 0 || string(rest) == "--") {
			if start >= 0 {
				parts = append(parts, body[start:pos])
			}
			if start = pos + len(line); len(rest) > 0 {
				return parts
			}
		}
		pos += len(line)
	}
	if start < 0 {
		w.broken = true
		return nil
	}
	return append(parts, body[start:])
}

// mediaType is the content type in lower case, text/plain if there is none.
func mediaType(h header) (string, map[string]string) {
	v := h.get("content-type")
	typ, params, err := mime.ParseMediaType(v)
	if err != nil && typ == "" {
		typ, _, _ = strings.Cut(v, ";")
		typ = strings.ToLower(strings.TrimSpace(typ))
	}
	if typ == "" || !strings.Contains(typ, "/") {
		return "text/plain", params
	}
	return typ, params
}

// isAttachment tells whether a part is none of the texts of a message, nor a signature.
func isAttachment(h header) bool {
	typ, params := mediaType(h)
	disposition, more, _ := mime.ParseMediaType(h.get("content-disposition"))
	switch {
	case strings.HasSuffix(typ, "-signature"):
		return false
	case disposition == "attachment", params["name"] != "", more["filename"] != "":
		return true
	}
	return !strings.HasPrefix(typ, "text/")
}

// maxSearch bounds how much text of a message is searched, in octets.
const maxSearch = 4 << 20

var tags = regexp.MustCompile(`(?s)<[^<>]*>`)

// textOf is what a person reads in a message: its subject, addresses and texts.
func textOf(body []byte) string {
	h, rest := cutHeader(body)
	out := []string{decodeWords(h.get("subject"))}
	for _, name := range []string{"from", "to", "cc", "bcc"} {
		out = append(out, addresses(h[name])...)
	}
	parts := walker{leaf: func(h header, body []byte) {
		if typ, params := mediaType(h); strings.HasPrefix(typ, "text/") && !isAttachment(h) {
			s := utf8Of(string(transfer(h, body)), params["charset"])
			if typ == "text/html" {
				s = html.UnescapeString(tags.ReplaceAllString(s, " "))
			}
			out = append(out, s)
		}
	}}
	parts.walk(h, rest, 0)
	return strings.Join(out, "\n")
}

// transfer undoes the transfer encoding, as far as it goes.
func transfer(h header, body []byte) []byte {
	var in io.Reader = bytes.NewReader(body)
	switch strings.ToLower(strings.TrimRight(h.get("content-transfer-encoding"), "; ")) {
	case "quoted-printable":
		in = quotedprintable.NewReader(in)
	case "base64":
		in = base64.NewDecoder(base64.StdEncoding, in)
	}
	out, _ := io.ReadAll(io.LimitReader(in, maxSearch)) // what comes before an error is read
	return out
}
