package email

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/mail"
)

// Decode reads an e-mail object. Unknown elements are passed over. Body is nil if the object has none, and does not share memory with in.
// Errors name the offset; one of an object or a message that is too large is pim.ErrTooLarge.
func Decode(in []byte) (Email, error) {
	var e Email
	if err := decode(in, "Email", e.child); err != nil {
		return Email{}, fmt.Errorf("cannot decode e-mail object: %w", err)
	}
	e.Flags, e.Said = pim.NewFlags(string(e.Flags)), pim.NewFlags(string(e.Said))
	return e, nil
}

func decode(in []byte, root string, child func(*reader, xml.StartElement) error) error {
	if len(in) > MaxObject {
		return tooLarge(len(in))
	}
	r := newReader(in)
	if err := r.root(root); err != nil {
		return err
	}
	return r.children(func(s xml.StartElement) error { return child(r, s) })
}

func (e *Email) child(r *reader, s xml.StartElement) error {
	switch name := strings.ToLower(s.Name.Local); name {
	case "received":
		return r.date(&e.Received)
	case "created":
		return r.date(&e.Created)
	case "modified":
		return r.date(&e.Modified)
	case "emailitem":
		return e.item(r, s)
	case "ext":
		return e.ext(r)
	default:
		return e.flag(r, name)
	}
}

// flag reads an element of a flag. A value that is neither true nor false says nothing.
func (e *Email) flag(r *reader, name string) error {
	var value string
	if err := r.value(&value); err != nil {
		return err
	}
	set, err := strconv.ParseBool(strings.ToLower(value))
	for _, el := range elements {
		if el.name == name && err == nil && !e.Said.Has(el.letter) {
			e.say(string(el.letter), set)
		}
	}
	return nil
}

func (e *Email) say(letters string, set bool) {
	e.Said += pim.Flags(letters)
	if set {
		e.Flags += pim.Flags(letters)
	}
}

// item reads the message. An empty element without an encoding is none: Funambol writes one where it has nothing to say.
func (e *Email) item(r *reader, s xml.StartElement) error {
	if e.Body != nil {
		return r.fail("it has two emailitem")
	}
	at := r.d.InputOffset()
	b, err := r.content()
	if err != nil {
		return err
	}
	enc := encoding(s.Attr)
	if len(b) == 0 && enc == "" {
		return nil
	}
	if e.Body, err = decodeBody(b, enc); err != nil {
		return fmt.Errorf("emailitem: %w (offset %d)", err, at)
	}
	return nil
}

// encoding is the attribute "enc", which Funambol once called "ENC".
func encoding(attrs []xml.Attr) string {
	for _, a := range attrs {
		if strings.EqualFold(a.Name.Local, "enc") || strings.EqualFold(a.Name.Local, "encoding") {
			return strings.ToLower(strings.TrimSpace(a.Value))
		}
	}
	return ""
}

// decodeBody takes the encoding away. The result does not share memory with b.
func decodeBody(b []byte, enc string) (out []byte, err error) {
	switch enc {
	case "base64", "b64":
		b = bytes.Join(bytes.Fields(b), nil)
		out, err = base64.StdEncoding.AppendDecode([]byte{}, b)
	case "quoted-printable":
		out, err = decodeQuoted(b)
	case "", "7bit", "8bit", "binary", "none":
		out = append([]byte{}, b...)
	default:
		return nil, fmt.Errorf("unknown encoding %q", enc)
	}
	if err == nil && len(out) > pim.MaxItemSize {
		err = tooLarge(len(out))
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

var errQuoted = errors.New("\"=\" begins no escape of quoted-printable")

// decodeQuoted leaves bare line breaks as they are.
func decodeQuoted(b []byte) ([]byte, error) {
	out := make([]byte, 0, len(b))
	for {
		before, rest, found := bytes.Cut(b, []byte("="))
		out = append(out, before...)
		if !found {
			return out, nil
		}
		if line := bytes.TrimLeft(rest, " \t\r"); len(line) == 0 || line[0] == '\n' {
			b = line[min(len(line), 1):]
			continue
		}
		if len(rest) < 2 {
			return nil, errQuoted
		}
		c, err := strconv.ParseUint(string(rest[:2]), 16, 8)
		if err != nil {
			return nil, errQuoted
		}
		out, b = append(out, byte(c)), rest[2:]
	}
}

// maxValues bounds how many values of one extension are kept.
const maxValues = 8

func (e *Email) ext(r *reader) error {
	var name string
	var values []string
	err := r.children(func(s xml.StartElement) error {
		var v string
		if err := r.value(&v); err != nil {
			return err
		}
		switch strings.ToLower(s.Name.Local) {
		case "xnam":
			name = strings.ToLower(v)
		case "xval":
			if len(values) < maxValues {
				values = append(values, v)
			}
		}
		return nil
	})
	if err == nil && len(values) > 0 {
		e.extension(name, values[0])
	}
	return err
}

func (e *Email) extension(name, value string) {
	n, err := strconv.ParseInt(value, 10, 64)
	number := err == nil && n > 0
	switch {
	case name == extFlags && !e.Said.Has(mail.Draft):
		e.say(others(Email{Flags: everything}), false)
		e.Flags += pim.Flags(others(Email{Flags: pim.NewFlags(value)}))
	case name == extSize && number:
		e.Size = n
	case (name == extBody || name == extAttachN) && number:
		e.Partial = true
	}
}

// dateForms are those of protocol.md C.14 and what peers make of it. One without a zone is taken for UTC.
var dateForms = []string{dateForm, "20060102T150405", time.RFC3339, "20060102"}

// date reads a time; what is none is as good as absent.
func (r *reader) date(into *time.Time) error {
	var v string
	err := r.value(&v)
	for _, form := range dateForms {
		if t, e := time.Parse(form, v); e == nil {
			*into = t.UTC()
			break
		}
	}
	return err
}
