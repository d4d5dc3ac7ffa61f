package mail

import (
	"errors"
	"fmt"
	"io"
	"mime"
	netmail "net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
)

// decoder reads encoded words (RFC 2047) of every character set that browsers know.
var decoder = &mime.WordDecoder{CharsetReader: charsetReader}

func charsetReader(charset string, in io.Reader) (io.Reader, error) {
	e, err := htmlindex.Get(charset)
	if err != nil {
		return nil, fmt.Errorf("cannot read character set %q: %v", charset, err)
	}
	return e.NewDecoder().Reader(in), nil
}

// words is a header value as people read it, in UTF-8 whatever the message holds. Encoded words that cannot be decoded stay as they are.
func words(value string) string {
	if s, err := decoder.DecodeHeader(value); err == nil {
		value = s
	}
	value = text(value)
	return strings.Join(strings.FieldsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
}

// text is what has no declared character set: UTF-8, or else the one that most mail of old was written in.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	s, err := charmap.Windows1252.NewDecoder().String(s)
	if err != nil {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return s
}

// addresses reads address lists. One that is not well formed is cut at its commas.
func addresses(values []string) []Address {
	var out []Address
	parser := netmail.AddressParser{WordDecoder: decoder}
	for _, v := range values {
		list, err := parser.ParseList(text(v))
		if err != nil && !errors.Is(err, netmail.ErrHeaderNotPresent) {
			out = append(out, brokenAddresses(text(v))...)
		}
		for _, a := range list {
			out = append(out, Address{a.Name, a.Address})
		}
	}
	return out
}

func brokenAddresses(list string) []Address {
	var out []Address
	for _, s := range splitOutside(list, ',') {
		name, addr := "", strings.TrimSpace(s)
		if open := strings.LastIndexByte(s, '<'); open >= 0 {
			inside, _, _ := strings.Cut(s[open+1:], ">")
			name, addr = words(strings.Trim(s[:open], " \t\"")), strings.TrimSpace(inside)
		}
		if name != "" || addr != "" {
			out = append(out, Address{name, addr})
		}
	}
	return out
}

// splitOutside cuts at separators that stand in no quotes.
func splitOutside(s string, sep byte) []string {
	var out []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

// layouts are forms of dates that RFC 5322 does not have and mail does.
var layouts = []string{
	"Mon, _2 Jan 2006 15:04:05", "_2 Jan 2006 15:04:05", "Mon Jan _2 15:04:05 2006", "Mon Jan _2 15:04:05 2006 -0700",
	"Mon Jan _2 15:04:05 MST 2006", "Mon, _2 Jan 2006 15:04:05 -07:00", "Monday, _2 January 2006 15:04:05 -0700", time.RFC3339, "2006-01-02 15:04:05",
}

// date reads a date, with or without a comment behind it; zero if it is none.
func date(v string) time.Time {
	v = strings.TrimSpace(v)
	if t, err := netmail.ParseDate(v); err == nil {
		return t
	}
	v, _, _ = strings.Cut(v, "(")
	v = strings.Join(strings.Fields(v), " ")
	for _, l := range layouts {
		if t, err := time.Parse(l, v); err == nil {
			return t
		}
	}
	return time.Time{}
}
