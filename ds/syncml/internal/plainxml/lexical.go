package plainxml

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/alwayson-sync/alwayson/ds/syncml/internal/wbxml"
)

// name reads the name of an element or attribute, with its prefix.
func (r *Reader) name() (string, error) {
	rest := r.in[r.pos:]
	n := bytes.IndexAny(rest, " \t\r\n/>=<")
	if n < 0 {
		n = len(rest)
	}
	prefix, local, ok := bytes.Cut(rest[:n], []byte(":"))
	if !wbxml.IsName(prefix) || ok && !wbxml.IsName(local) {
		return "", r.fail("%q is no name", rest[:min(len(rest), 20)])
	}
	r.pos += n
	return r.intern(rest[:n]), nil
}

// intern makes one string of all equal names.
func (r *Reader) intern(b []byte) string {
	if s, ok := r.names[string(b)]; ok {
		return s
	}
	s := string(b)
	r.names[s] = s
	return s
}

func (r *Reader) blanks() {
	for r.pos < len(r.in) && isBlank(r.in[r.pos]) {
		r.pos++
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// attributes reads the rest of a start tag.
func (r *Reader) attributes() error {
	for {
		r.blanks()
		switch {
		case r.skip(">"):
			return nil
		case r.skip("/>"):
			r.pending = true
			return nil
		case r.pos == len(r.in):
			return r.fail("a start tag has no end")
		}
		if err := r.attribute(); err != nil {
			return err
		}
	}
}

func (r *Reader) attribute() error {
	name, err := r.name()
	if err != nil {
		return err
	}
	value, err := r.value()
	if err != nil {
		return err
	}
	switch {
	case name == "xmlns":
		return r.declare("", value)
	case len(name) > len("xmlns:") && name[:len("xmlns:")] == "xmlns:":
		return r.declare(name[len("xmlns:"):], value)
	case name == "opaque":
		r.opaque = string(value) == "base64"
	}
	return nil
}

// value reads an equals sign and what is quoted behind it.
func (r *Reader) value() ([]byte, error) {
	r.blanks()
	ok := r.skip("=")
	r.blanks()
	for _, quote := range []string{`"`, `'`} {
		if ok && r.skip(quote) {
			raw, err := r.until(quote, "quoted value")
			if err != nil {
				return nil, err
			}
			return r.unescape(raw)
		}
	}
	return nil, r.fail("an attribute has no quoted value")
}

func (r *Reader) declare(prefix string, uri []byte) error {
	if len(r.spaces) == maxSpaces {
		return r.fail("more than %d namespaces are declared", maxSpaces)
	}
	r.spaces = append(r.spaces, binding{prefix, r.intern(uri)})
	return nil
}

// longestReference bounds the search for the semicolon of &#x10FFFF; with some leading zeros.
const longestReference = 16

// unescape replaces references to characters. Text without any is not copied.
func (r *Reader) unescape(raw []byte) ([]byte, error) {
	amp := bytes.IndexByte(raw, '&')
	if amp < 0 {
		return raw, nil
	}
	out := make([]byte, 0, len(raw))
	for ; amp >= 0; amp = bytes.IndexByte(raw, '&') {
		out, raw = append(out, raw[:amp]...), raw[amp+1:]
		n := bytes.IndexByte(raw[:min(len(raw), longestReference)], ';')
		if n < 0 {
			return nil, r.fail("an ampersand before it is not escaped")
		}
		c, ok := reference(string(raw[:n]))
		if !ok {
			return nil, r.fail("the entity &%s; before it is none of XML itself", raw[:n])
		}
		out, raw = utf8.AppendRune(out, c), raw[n+1:]
	}
	return append(out, raw...), nil
}

// reference is the character that a reference stands for.
func reference(name string) (rune, bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	return rune(n), err == nil && n <= utf8.MaxRune && isChar(rune(n))
}

// IsText tells whether b comes through XML unchanged: UTF-8 without control characters.
func IsText[T string | []byte](b T) bool {
	for i := 0; i < len(b); {
		if b[i] >= ' ' && b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(string(b[i:min(i+utf8.UTFMax, len(b))]))
		if r == utf8.RuneError && n == 1 || !isChar(r) {
			return false
		}
		i += n
	}
	return true
}

func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000
}
