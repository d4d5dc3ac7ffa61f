package mail

import (
	"bytes"
	"encoding/base64"
	"mime/quotedprintable"
	"strings"
)

// plainEncoding tells whether a transfer encoding leaves the octets as they are.
func plainEncoding(encoding string) bool {
	switch encoding {
	case "", "7bit", "8bit", "binary":
		return true
	}
	return false
}

// size is how many octets p holds after transfer decoding, counted without decoding.
func (p *part) size() int64 {
	switch p.encoding {
	case "base64":
		return base64Size(p.content())
	case "quoted-printable":
		return quotedSize(p.content())
	}
	return int64(p.to - p.body)
}

func base64Size(b []byte) int64 {
	var digits int64
	for _, c := range b {
		if isBase64(c) {
			digits++
		}
	}
	return digits * 3 / 4
}

func isBase64(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '+' || c == '/'
}

// quotedSize counts an escape as one octet and a soft line break as none.
func quotedSize(b []byte) int64 {
	n := int64(len(b))
	for i := bytes.IndexByte(b, '='); i >= 0; i = bytes.IndexByte(b, '=') {
		_, used, octets := unescape(b[i:])
		n += int64(octets - used)
		b = b[i+used:]
	}
	return n
}

// unescape reads what begins with the '=' at b[0]: octets (0 or 1) is how many c stands for. What is no escape stays.
func unescape(b []byte) (c byte, used, octets int) {
	if len(b) >= 3 && hex(b[1]) >= 0 && hex(b[2]) >= 0 {
		return byte(hex(b[1])<<4 | hex(b[2])), 3, 1
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case ' ', '\t', '\r':
		case '\n':
			return 0, i + 1, 0
		default:
			return '=', 1, 1
		}
	}
	return 0, len(b), 0 // cut off
}

func hex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// decode takes a transfer encoding away. b may end anywhere: what is not complete at its end is dropped.
func decode(b []byte, encoding string) []byte {
	switch encoding {
	case "base64":
		return decodeBase64(b)
	case "quoted-printable":
		return decodeQuoted(b)
	}
	return b
}

func decodeBase64(b []byte) []byte {
	digits := make([]byte, 0, len(b))
	for _, c := range b {
		if isBase64(c) {
			digits = append(digits, c)
		}
	}
	out := make([]byte, len(digits)/4*3)
	n, _ := base64.StdEncoding.Decode(out, digits[:len(digits)/4*4]) // all of them are digits
	return out[:n]
}

func decodeQuoted(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := bytes.IndexByte(b, '='); i >= 0; i = bytes.IndexByte(b, '=') {
		out = append(out, b[:i]...)
		c, used, octets := unescape(b[i:])
		if octets == 1 {
			out = append(out, c)
		}
		b = b[i+used:]
	}
	return append(out, b...)
}

// encode is text in a transfer encoding that decode knows, in lines that end with nl.
func encode(text []byte, encoding, nl string) []byte {
	switch encoding {
	case "base64":
		return wrapped(base64.StdEncoding.EncodeToString(text), nl)
	case "quoted-printable":
		return encodeQuoted(text, nl)
	}
	return text
}

// wrapped cuts base64 into lines of 76 digits (RFC 2045 §6.8).
func wrapped(s, nl string) []byte {
	var out bytes.Buffer
	for len(s) > 76 {
		out.WriteString(s[:76] + nl)
		s = s[76:]
	}
	out.WriteString(s)
	return out.Bytes()
}

// encodeQuoted writes no line that begins with a dash: it could be a delimiter.
func encodeQuoted(text []byte, nl string) []byte {
	var out strings.Builder
	w := quotedprintable.NewWriter(&out)
	_, _ = w.Write(text) // a Builder does not fail
	_ = w.Close()
	s := strings.ReplaceAll("\n"+out.String(), "\r\n", "\n")
	s = strings.ReplaceAll(s, "\n-", "\n=2D")
	return []byte(strings.ReplaceAll(s[1:], "\n", nl))
}
