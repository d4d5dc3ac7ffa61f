package mail

import (
	"fmt"
	"mime"
	"strconv"
	"strings"
)

// fieldLeftOut is a field of a part that stands for one that was left out: its type, with name and size (octets) as parameters.
const fieldLeftOut = "x-alwayson-left-out"

// typeLeftOut is the type of such a part among the alternatives of a text. Mail programs show the last alternative they understand, so
// they must not understand this one (RFC 2046 §5.1.4). Elsewhere it is text/plain, which all of them show.
const typeLeftOut = "application/x-alwayson-left-out"

// maxName bounds the name of an attachment in a note, in characters: a header line has at most 998 octets (RFC 5322 §2.1.1).
const maxName = 120

const onServer = "not on this device; the whole message is on the server"

// placeholder is a part that says what was left out in its place, without a line break at its end.
func placeholder(a Attachment, typ, nl string) []byte {
	note := fmt.Sprintf("[%s is %s]", a.what(), onServer)
	lines := noteHeader(typ, note)
	lines = append(lines, "Content-Disposition: inline", "X-Alwayson-Left-Out: "+a.field(), "")
	return append([]byte(strings.Join(lines, nl)+nl), noteBody(note, nl)...)
}

func noteHeader(typ, note string) []string {
	if ascii(note) {
		return []string{"Content-Type: " + typ + "; charset=us-ascii"}
	}
	return []string{"Content-Type: " + typ + "; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"}
}

func noteBody(note, nl string) []byte {
	note = strings.ReplaceAll(note, "\n", nl)
	if ascii(note) {
		return []byte(note)
	}
	return encode([]byte(note), "quoted-printable", nl)
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > '~' }) < 0
}

// what is a in words.
func (a Attachment) what() string {
	if a.Name == "" {
		return fmt.Sprintf("A part of type %s, %s,", a.typ(), human(a.Size))
	}
	return fmt.Sprintf("%s (%s, %s)", a.shortName(), a.typ(), human(a.Size))
}

func (a Attachment) shortName() string {
	if r := []rune(a.Name); len(r) > maxName {
		return string(r[:maxName]) + "..."
	}
	return a.Name
}

// typ is the type of a if it is well formed.
func (a Attachment) typ() string {
	if mime.FormatMediaType(a.Type, nil) == "" || len(a.Type) > maxName {
		return "application/octet-stream"
	}
	return a.Type
}

// field is a as the value of fieldLeftOut.
func (a Attachment) field() string {
	params := map[string]string{"size": strconv.FormatInt(a.Size, 10)}
	if a.Name != "" {
		params["name"] = a.shortName()
	}
	return mime.FormatMediaType(a.typ(), params)
}

// human is a size as people read it.
func human(octets int64) string {
	switch {
	case octets < 10_000:
		return fmt.Sprintf("%d octets", octets)
	case octets < 10_000<<10:
		return fmt.Sprintf("%d KiB", octets>>10)
	}
	return fmt.Sprintf("%d MiB", octets>>20)
}

// cutNote follows a text that was cut. It cannot be taken for a delimiter line.
func cutNote(left int64, typ, nl string) string {
	note := fmt.Sprintf("[The rest of this text, %s, is %s]", human(left), onServer)
	if typ == "text/html" {
		return nl + "<p>" + note + "</p>" + nl
	}
	return nl + nl + note + nl
}

// contentNote stands for all that a message holds.
func contentNote(root *part) string {
	var m Message
	m.collect(root)
	var b strings.Builder
	fmt.Fprintf(&b, "[The content of this message, %s, is %s]", human(int64(root.to-root.body)), onServer)
	for i, a := range m.Attachments {
		if i == maxListed {
			fmt.Fprintf(&b, "\n[and %d more]", len(m.Attachments)-i)
			break
		}
		fmt.Fprintf(&b, "\n[with %s]", strings.TrimSuffix(a.what(), ","))
	}
	return b.String()
}

// maxListed bounds the attachments named in a note.
const maxListed = 20
