package email

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"strconv"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/mail"
)

// Encode writes an e-mail object. A body goes as text in a CDATA section where XML gives it back to the octet; with carriage returns or
// octets that are no text of XML it goes as quoted-printable or base64, whichever is shorter. Funambol reads the first two.
func Encode(e Email) []byte {
	var w writer
	w.grow(e.Body)
	w.WriteString("<Email>")
	for _, el := range elements {
		if e.Said.Has(el.letter) {
			w.element(el.name, strconv.FormatBool(e.Flags.Has(el.letter)))
		}
	}
	w.date("received", e.Received)
	w.date("created", e.Created)
	w.date("modified", e.Modified)
	if e.Body != nil {
		w.body(e.Body)
	}
	w.extensions(e)
	w.WriteString("</Email>")
	return w.Bytes()
}

type writer struct{ bytes.Buffer }

func (w *writer) grow(body []byte) { w.Grow(len(body) + len(body)/2 + 1024) }

func (w *writer) element(name, value string) {
	w.WriteString("<" + name + ">")
	_ = xml.EscapeText(w, []byte(value)) // a Buffer does not fail
	w.WriteString("</" + name + ">")
}

// date writes a time in seconds of UTC.
func (w *writer) date(name string, t time.Time) {
	if !t.IsZero() {
		w.element(name, t.UTC().Format(dateForm))
	}
}

const dateForm = "20060102T150405Z"

func (w *writer) body(b []byte) {
	switch {
	case len(b) > 0 && bytes.IndexByte(b, '\r') < 0 && syncml.XMLText(b):
		w.WriteString("<emailitem>")
		w.cdata(b)
	case quotedSize(b) < base64.StdEncoding.EncodedLen(len(b)):
		w.WriteString(`<emailitem enc="quoted-printable">`)
		w.cdata(encodeQuoted(b))
	default:
		w.WriteString(`<emailitem enc="base64">`)
		w.Write(base64.StdEncoding.AppendEncode(w.AvailableBuffer(), b))
	}
	w.WriteString("</emailitem>")
}

// cdata writes text as one section, or as more where the end of one stands in it.
func (w *writer) cdata(b []byte) {
	w.WriteString("<![CDATA[")
	for {
		before, rest, found := bytes.Cut(b, []byte("]]>"))
		w.Write(before)
		if !found {
			break
		}
		w.WriteString("]]]]><![CDATA[>")
		b = rest
	}
	w.WriteString("]]>")
}

func (w *writer) extensions(e Email) {
	if others := others(e); e.Said.Has(mail.Draft) {
		w.ext(extFlags, others)
	}
	if !e.Partial {
		return
	}
	missing, octets := missing(e.Body)
	if e.Size > 0 {
		w.ext(extSize, strconv.FormatInt(e.Size, 10))
	}
	if rest := e.Size - int64(len(e.Body)) - octets; rest > 0 || len(missing) == 0 {
		w.ext(extBody, strconv.FormatInt(max(rest, 1), 10))
	}
	if len(missing) > 0 {
		w.ext(extAttachN, strconv.Itoa(len(missing)))
	}
	for _, a := range missing {
		w.ext(extAttach, a.Name, strconv.FormatInt(a.Size, 10))
	}
}

// missing are the attachments that were left out of a message, and how many octets they have together.
func missing(body []byte) (out []mail.Attachment, octets int64) {
	for _, a := range mail.Parse(body).Attachments {
		if a.LeftOut {
			out = append(out, a)
			octets += a.Size
		}
	}
	return out, octets
}

// others are the letters of the flags without an element.
func others(e Email) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(mentioned, c) {
			return -1
		}
		return c
	}, string(e.Flags))
}

func (w *writer) ext(name string, values ...string) {
	w.WriteString("<Ext>")
	w.element("XNam", name)
	for _, v := range values {
		w.element("XVal", v)
	}
	w.WriteString("</Ext>")
}

// plain tells whether quoted-printable has an octet as it is. Line breaks are escapes, too: what a reader makes of bare ones is
// its affair, and dashes and dots mean nothing in XML.
func plain(c byte) bool { return c >= ' ' && c <= '~' && c != '=' }

// maxLine is the length of a line of quoted-printable without the "=" at its end (RFC 2045 §6.7).
const maxLine = 75

// quotedSize is the length of encodeQuoted(b), or a little more.
func quotedSize(b []byte) int {
	n := 0
	for _, c := range b {
		if n++; !plain(c) {
			n += 2
		}
		if c == '\n' {
			n += 2
		}
	}
	return n + 2*(n/(maxLine-2))
}

// encodeQuoted breaks lines behind the line feeds of b and where they grow too long.
func encodeQuoted(b []byte) []byte {
	const digits = "0123456789ABCDEF"
	out := make([]byte, 0, quotedSize(b))
	column := 0
	for i, c := range b {
		if column > maxLine-3 {
			out = append(out, '=', '\n')
			column = 0
		}
		if plain(c) {
			out = append(out, c)
			column++
			continue
		}
		out = append(out, '=', digits[c>>4], digits[c&15])
		if column += 3; c == '\n' && i < len(b)-1 {
			out = append(out, '=', '\n')
			column = 0
		}
	}
	return out
}
