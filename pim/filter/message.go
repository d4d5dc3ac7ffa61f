package filter

import (
	"bytes"
	"io"
	"mime"
	"net/mail"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// maxHeader bounds how much of a message is searched for its header, in octets.
const maxHeader = 256 << 10

// header is the header of a message or part: fields by lower-case name, in their order, unfolded but not decoded.
type header map[string][]string

// cutHeader reads a header and tells where the body begins. Lines that are no fields are passed over, as "From " of mbox and garbage.
func cutHeader(b []byte) (h header, body []byte) {
	h = header{}
	var field []string // the lines of one field
	limit := len(b) - maxHeader
	for len(b) > max(limit, 0) {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		b = rest
		text := strings.TrimRight(string(line), "\r")
		if text == "" {
			h.add(field)
			return h, b
		}
		if text[0] != ' ' && text[0] != '\t' {
			h.add(field)
			field = nil
		}
		field = append(field, strings.TrimSpace(text))
	}
	h.add(field)
	return h, nil
}

// maxValue bounds how much of one field is looked at, in octets.
const maxValue = 64 << 10

// add takes the lines of one field.
func (h header) add(lines []string) {
	line := strings.Join(lines, " ")
	name, value, ok := strings.Cut(line[:min(len(line), maxValue)], ":")
	name = strings.ToLower(strings.TrimRight(name, " \t"))
	if ok && name != "" && !strings.ContainsAny(name, " \t") {
		h[name] = append(h[name], strings.TrimSpace(value))
	}
}

func (h header) get(name string) string {
	if len(h[name]) == 0 {
		return ""
	}
	return h[name][0]
}

var decoder = &mime.WordDecoder{CharsetReader: reader}

// reader reads a character set.
func reader(charset string, in io.Reader) (io.Reader, error) {
	e, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return e.NewDecoder().Reader(in), nil
}

// decodeWords is a header value in UTF-8. What cannot be decoded stays as it is.
func decodeWords(s string) string {
	s = utf8Of(s, "")
	if d, err := decoder.DecodeHeader(s); err == nil {
		return d
	}
	return s
}

// utf8Of is a text in UTF-8; without a character set, what is no UTF-8 is taken as Windows-1252.
func utf8Of(s, charset string) string {
	if in, err := reader(charset, strings.NewReader(s)); charset != "" && err == nil {
		if b, err := io.ReadAll(in); err == nil {
			return string(b)
		}
	}
	if clean := strings.ToValidUTF8(s, ""); len(clean) == len(s) {
		return s
	}
	in, _ := reader("windows-1252", strings.NewReader(s))
	b, err := io.ReadAll(in)
	if err != nil {
		return s
	}
	return string(b)
}

// addresses are the mailboxes of fields, each as "Name <address>".
func addresses(values []string) []string {
	parser := mail.AddressParser{WordDecoder: decoder}
	var out []string
	for _, v := range values {
		list, err := parser.ParseList(utf8Of(v, ""))
		if err != nil {
			for part := range strings.SplitSeq(decodeWords(v), ",") { // better a piece of a name than no sender
				out = append(out, strings.TrimSpace(part))
			}
		}
		for _, a := range list {
			out = append(out, strings.TrimSpace(a.Name+" <"+a.Address+">"))
		}
	}
	return out
}

// received is when the last server took the message, or else its Date.
func (h header) received() (time.Time, bool) {
	for _, v := range []string{h.get("received"), h.get("date")} {
		v = v[strings.LastIndexByte(v, ';')+1:]
		if t, ok := mailTime(v); ok {
			return t, true
		}
	}
	return time.Time{}, false
}

// layouts are dates that RFC 5322 does not have and mail does.
var layouts = []string{
	"2 Jan 2006 15:4:5 -0700", "2 Jan 2006 15:4:5", "2 Jan 2006 15:04", "Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 2006 -0700", "Mon Jan 2 15:04:05 MST 2006",
	"2 January 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -07:00", time.RFC3339, time.DateTime,
}

func mailTime(v string) (time.Time, bool) {
	v, _, _ = strings.Cut(v, "(")
	v = strings.Join(strings.Fields(v), " ")
	if t, err := mail.ParseDate(v); err == nil {
		return t, true
	}
	_, bare, ok := strings.Cut(v, ", ") // without the day of the week
	if !ok {
		bare = v
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, bare); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
