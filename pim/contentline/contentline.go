// Package contentline reads and writes what vCard, vCalendar and iCalendar are made of: lines of name, parameters and value, nested by
// BEGIN and END. It is lossless: every octet of the input belongs to a line, an untouched line is written as it was read, and one that
// cannot be understood is kept in its place (deps.md 2.5: no library does all of that, nor vCard 2.1).
package contentline

import (
	"bytes"
	"slices"
	"strings"
)

// Line is one logical line.
type Line struct {
	// Raw is the line as it stands in the file, with folds and its line end. A Line without Raw is written from the fields below.
	Raw []byte
	// Group is what stands before the first dot, as some address books write. Name is in upper case; it is "" if the line makes no sense.
	Group, Name string
	Params      []Param
	// Value is unfolded but else as written: escaped, or encoded as the parameters say. See Text.
	Value string
}

// Param is one parameter. In vCard 2.1 a value may stand alone, like CELL in "TEL;CELL:…": then Name is "".
type Param struct {
	Name   string // in upper case
	Values []string
}

// Param is the first value of a parameter, "" if there is none.
func (l *Line) Param(name string) string {
	for _, p := range l.Params {
		if p.Name == name && len(p.Values) > 0 {
			return p.Values[0]
		}
	}
	return ""
}

// Types are the values of TYPE, and those that stand alone, in upper case and sorted.
func (l *Line) Types() []string {
	var out []string
	for _, p := range l.Params {
		if p.Name != "" && p.Name != "TYPE" {
			continue
		}
		for _, v := range p.Values {
			for t := range strings.SplitSeq(strings.ToUpper(v), ",") {
				out = append(out, t)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Has tells whether a parameter has this value, with the name or alone; case does not matter.
func (l *Line) Has(name, value string) bool {
	for _, p := range l.Params {
		if p.Name != name && p.Name != "" {
			continue
		}
		for _, v := range p.Values {
			if strings.EqualFold(v, value) {
				return true
			}
		}
	}
	return false
}

// Parse splits a file into its lines. It never fails: what makes no sense becomes a line without a name.
func Parse(body []byte) []Line { return parse(body, func([]byte) bool { return true }) }

// Pick is Parse for who wants to know the lines with these names only, in upper case.
func Pick(body []byte, names map[string]bool) []Line {
	return parse(body, func(line []byte) bool {
		i := bytes.IndexAny(line, ":;")
		if i < 0 {
			return true // the fold is in the name
		}
		name := line[:i]
		if _, n, dotted := bytes.Cut(name, []byte(".")); dotted {
			name = n
		}
		return names[string(bytes.ToUpper(bytes.TrimSpace(name)))]
	})
}

// parse leaves out the lines that are not wanted; it is asked with the first physical line.
func parse(body []byte, want func(line []byte) bool) []Line {
	old := oldVersion(body)
	var lines []Line
	for len(body) > 0 {
		line, _ := physical(body)
		wanted := want(line)
		raw, value := cut(body, old, wanted)
		body = body[len(raw):]
		if wanted {
			lines = append(lines, parseLine(raw, value))
		}
	}
	return lines
}

// oldVersion tells whether the folds of a file are those of vCard 2.1 and vCalendar 1.0, where the white space belongs to the value.
func oldVersion(body []byte) bool {
	for line := range bytes.Lines(body) {
		name, version, ok := bytes.Cut(line, []byte(":"))
		if ok && bytes.EqualFold(bytes.TrimSpace(name), []byte("VERSION")) {
			v := string(bytes.TrimSpace(version))
			return v == "2.1" || v == "1.0"
		}
	}
	return false
}

// cut takes the first logical line off: its octets, and, if that is wanted, what they say without line ends and folds.
func cut(body []byte, old, wanted bool) (raw []byte, text string) {
	line, n := physical(body)
	soft, loose := encoded(line)
	first, folded := line, []byte(nil)
	for n < len(body) {
		next, size := physical(body[n:])
		switch {
		case soft && bytes.HasSuffix(line, []byte("=")): // the next line goes on, wherever it begins
			next = body[n-1 : n+len(next)] // with the line feed before it
		case len(next) > 0 && (next[0] == ' ' || next[0] == '\t'):
			if !old || loose {
				next = next[1:]
			}
		case loose && len(next) > 0 && isBase64(next): // some write it without indenting
		default:
			size = 0 // another line
		}
		if size == 0 {
			break
		}
		if wanted {
			if folded == nil {
				folded = bytes.Clone(first)
			}
			folded = append(folded, next...)
		}
		line, n = next, n+size
	}
	switch {
	case folded != nil:
		text = string(folded)
	case wanted:
		text = string(first)
	}
	return body[:n], text
}

// physical is the first line without its end, and how many octets both have.
func physical(body []byte) (line []byte, size int) {
	i := bytes.IndexByte(body, '\n')
	if i < 0 {
		return body, len(body)
	}
	return bytes.TrimSuffix(body[:i], []byte("\r")), i + 1
}

// encoded tells whether the parameters of a line say that its value is quoted-printable, with soft line breaks, or base64 in the manner of
// vCard 2.1.
func encoded(line []byte) (soft, loose bool) {
	head, _, ok := bytes.Cut(line, []byte(":"))
	if !ok || bytes.IndexByte(head, ';') < 0 {
		return false, false
	}
	h := strings.ToUpper(string(head))
	return strings.Contains(h, "QUOTED-PRINTABLE"), strings.Contains(h, "BASE64") || strings.Contains(h, "ENCODING=B")
}

func isBase64(line []byte) bool {
	for _, c := range line {
		letter := c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && c != '+' && c != '/' && c != '=' {
			return false
		}
	}
	return true
}

// parseLine takes a logical line apart.
func parseLine(raw []byte, text string) Line {
	l := Line{Raw: raw}
	name, rest, ok := cutName(text)
	if !ok {
		return l
	}
	var params []Param
	for strings.HasPrefix(rest, ";") {
		var p Param
		if p, rest, ok = cutParam(rest[1:]); !ok {
			return l
		}
		params = append(params, p)
	}
	if !strings.HasPrefix(rest, ":") {
		return l
	}
	if g, n, dotted := strings.Cut(name, "."); dotted {
		l.Group, name = g, n
	}
	l.Name, l.Params, l.Value = strings.ToUpper(name), params, rest[1:]
	return l
}

func cutName(text string) (name, rest string, ok bool) {
	i := strings.IndexAny(text, ":;")
	if i <= 0 {
		return "", "", false
	}
	name = strings.TrimSpace(text[:i])
	return name, text[i:], name != "" && !strings.ContainsAny(name, " \t\"")
}

// cutParam reads one parameter up to the next ";" or ":". Values may be quoted.
func cutParam(text string) (p Param, rest string, ok bool) {
	i := strings.IndexAny(text, "=;:\"")
	if i < 0 {
		return p, "", false
	}
	if text[i] != '=' {
		if text[i] == '"' {
			return p, "", false
		}
		return Param{Values: []string{text[:i]}}, text[i:], true
	}
	p.Name = strings.ToUpper(strings.TrimSpace(text[:i]))
	for rest = text[i+1:]; ; rest = rest[1:] {
		var v string
		if v, rest, ok = cutParamValue(rest); !ok {
			return p, "", false
		}
		p.Values = append(p.Values, v)
		if !strings.HasPrefix(rest, ",") {
			return p, rest, true
		}
	}
}

func cutParamValue(text string) (v, rest string, ok bool) {
	if strings.HasPrefix(text, `"`) {
		end := strings.IndexByte(text[1:], '"')
		if end < 0 {
			return "", "", false
		}
		return text[1 : 1+end], text[end+2:], true
	}
	i := strings.IndexAny(text, ",;:")
	if i < 0 {
		return "", "", false
	}
	return text[:i], text[i:], true
}

// Write puts lines together again: those with Raw as they were, others folded at 75 octets with CRLF (RFC 6350, 3.2).
func Write(lines []Line) []byte {
	var out bytes.Buffer
	for i := range lines {
		if i > 0 && open(&lines[i-1], &lines[i]) {
			out.WriteString("\r\n")
		}
		if l := &lines[i]; l.Raw != nil {
			out.Write(l.Raw)
		} else {
			fold(&out, l.text())
		}
	}
	return out.Bytes()
}

// open tells whether a line would become part of the one before it: the last line of a file may have no line end, or end in a soft line break.
func open(before, l *Line) bool {
	switch {
	case before.Raw == nil:
		return false
	case !bytes.HasSuffix(before.Raw, []byte("\n")):
		return true
	}
	return l.Raw == nil && bytes.HasSuffix(bytes.TrimRight(before.Raw, "\r\n"), []byte("=")) && before.quoted()
}

func (l *Line) quoted() bool {
	for _, p := range l.Params {
		for _, v := range p.Values {
			if strings.EqualFold(v, "QUOTED-PRINTABLE") {
				return true
			}
		}
	}
	return false
}

// text is the line without folds.
func (l *Line) text() string {
	var b strings.Builder
	if l.Group != "" {
		b.WriteString(l.Group + ".")
	}
	b.WriteString(l.Name)
	for _, p := range l.Params {
		b.WriteString(";")
		if p.Name != "" {
			b.WriteString(p.Name + "=")
		}
		for i, v := range p.Values {
			if i > 0 {
				b.WriteString(",")
			}
			if strings.ContainsAny(v, ",;:") && p.Name != "" {
				v = `"` + v + `"`
			}
			b.WriteString(v)
		}
	}
	return b.String() + ":" + l.Value
}

// width is how many octets a line has at most, without its end.
const width = 75

func fold(out *bytes.Buffer, text string) {
	limit := width
	for len(text) > limit {
		n := limit
		for n > 1 && text[n]&0xC0 == 0x80 {
			n-- // not inside a character
		}
		out.WriteString(text[:n] + "\r\n ")
		text, limit = text[n:], width-1
	}
	out.WriteString(text + "\r\n")
}

// Unfolded is a line with another value, which is written as it stands: quoted-printable has soft line breaks of its own.
func Unfolded(l *Line, value string) []byte {
	bare := *l
	bare.Value = ""
	return []byte(bare.text() + value + "\r\n")
}
