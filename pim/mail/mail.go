// Package mail looks into messages of RFC 5322 and makes partial forms of them. It reads broken mail as far as it goes, keeps no copies of
// what it reads, and never changes a message other than to leave parts of it out.
package mail

import (
	"strings"
	"time"
)

// Message is what filters, matching and people ask of a message.
type Message struct {
	From, To, Cc []Address
	Subject      string    // decoded to UTF-8, one line
	Date         time.Time // zero if the message has none that can be read
	Received     time.Time // when the last server took it, Date if none says so
	MessageID    string    // with its angle brackets; "" if there is none
	TextSize     int64     // octets of the text that is no attachment, after transfer decoding
	Attachments  []Attachment
}

// Address is one mailbox.
type Address struct {
	Name string // decoded to UTF-8, may be empty
	Addr string // local@domain as written
}

// Attachment is one part of a message that is no text of it.
type Attachment struct {
	Name    string // decoded to UTF-8, "" if it has none; never a path to write to
	Type    string // media type in lower case
	Size    int64  // octets after transfer decoding
	LeftOut bool   // its content was left out of a partial message
}

// Parse reads a message. It never fails: what cannot be read is empty.
func Parse(msg []byte) Message {
	m := ParseHeader(msg)
	m.collect(parseTree(msg))
	return m
}

// ParseHeader is Parse without a look at the body: TextSize and Attachments are empty.
func ParseHeader(msg []byte) Message {
	h, _ := head(msg)
	m := Message{
		From: addresses(h.all("from")), To: addresses(h.all("to")), Cc: addresses(h.all("cc")),
		Subject: words(h.get("subject")), Date: date(h.get("date")), MessageID: h.get("message-id"),
	}
	m.Received = m.Date
	if r := h.get("received"); r != "" {
		if t := date(r[strings.LastIndexByte(r, ';')+1:]); !t.IsZero() {
			m.Received = t
		}
	}
	return m
}

// Field is the value of the first header field of a name, unfolded and decoded to UTF-8, "" if there is none.
func Field(msg []byte, name string) string {
	h, _ := head(msg)
	return words(h.get(strings.ToLower(name)))
}

// collect adds up the text and lists the attachments in and below p.
func (m *Message) collect(p *part) {
	switch {
	case p.leftOut != nil && p.media.typ != typeLeftOut:
		m.Attachments = append(m.Attachments, *p.leftOut)
	case p.leftOut != nil:
	case len(p.subs) > 0:
		for _, s := range p.subs {
			m.collect(s)
		}
	case p.text || p.opaque || p.sealed():
		m.TextSize += p.size()
	default:
		m.Attachments = append(m.Attachments, p.attachment())
	}
}
