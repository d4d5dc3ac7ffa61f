package contentline

import (
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

// Text is the value as a person reads it: decoded from quoted-printable or base64 and its character set, and unescaped. A value of
// several parts keeps its separators; Parts takes it apart.
func (l *Line) Text() string { return unescape(l.decoded()) }

// Parts are the parts of a structured value like N or ADR, each as Text.
func (l *Line) Parts() []string {
	var out []string
	for _, p := range split(l.decoded(), ';') {
		out = append(out, unescape(p))
	}
	return out
}

// List are the elements of a value like CATEGORIES, each as Text.
func (l *Line) List() []string {
	var out []string
	for _, p := range split(l.decoded(), ',') {
		if p = strings.TrimSpace(unescape(p)); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// split cuts at separators that are not escaped.
func split(s string, sep byte) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

// Binary is a value in base64 as octets; ok is false if it is none.
func (l *Line) Binary() (data []byte, ok bool) {
	if !l.Has("ENCODING", "BASE64") && !l.Has("ENCODING", "B") {
		return nil, false
	}
	clean := strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\n' || r == '\r' {
			return -1
		}
		return r
	}, l.Value)
	data, err := base64.StdEncoding.DecodeString(clean)
	return data, err == nil
}

// decoded undoes the transfer encoding and the character set, but not the escapes.
func (l *Line) decoded() string {
	v := l.Value
	if data, ok := l.Binary(); ok {
		return string(data)
	}
	if l.Has("ENCODING", "QUOTED-PRINTABLE") {
		if b, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(v))); err == nil {
			v = string(b)
		}
	}
	return toUTF8(v, l.Param("CHARSET"))
}

// toUTF8 reads octets in a character set. Without a name, or with one that nobody knows, what is no UTF-8 is taken as Windows-1252,
// which is what old phones and Outlook wrote.
func toUTF8(v, charset string) string {
	if charset == "" && utf8.ValidString(v) {
		return v
	}
	enc, err := htmlindex.Get(charset)
	if err != nil {
		if utf8.ValidString(v) {
			return v
		}
		enc, _ = htmlindex.Get("windows-1252")
	}
	if s, err := enc.NewDecoder().String(v); err == nil {
		return s
	}
	return v
}

var unescaper = strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\:`, ":", `\\`, `\`)

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return unescaper.Replace(s)
}

var escaper = strings.NewReplacer(`\`, `\\`, "\r\n", `\n`, "\n", `\n`, ",", `\,`, ";", `\;`)

// Escape is text as it stands in a value of vCard 3.0, 4.0 and iCalendar.
func Escape(s string) string { return escaper.Replace(s) }

// OldText is a value of vCard 2.1 or vCalendar 1.0, where a semicolon is all that is ever escaped.
type OldText struct {
	Whole string
	Parts []string // cut at semicolons
}

// Old reads a value in the old manner.
func (l *Line) Old() OldText {
	v := l.decoded()
	t := OldText{Whole: strings.ReplaceAll(v, `\;`, ";")}
	for _, p := range split(v, ';') {
		t.Parts = append(t.Parts, strings.ReplaceAll(p, `\;`, ";"))
	}
	return t
}
