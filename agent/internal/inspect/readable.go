package inspect

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

const (
	maxMessage = 1 << 20  // a larger one is only named
	maxText    = 300      // of one element: enough to tell an item by
	maxShown   = 64 << 10 // of one message
	left       = "(left out)"
)

// secret are the elements in which credentials and nonces travel, by the element in which they lie; "" is any.
var secret = map[string][]string{"Data": {"Cred"}, "NextNonce": {""}}

// Readable is a message as XML with one element a line, without credentials and nonces, and with long texts shortened.
func Readable(body []byte) string {
	if len(body) > maxMessage {
		return fmt.Sprintf("A message of %d octets is too long to be shown.", len(body))
	}
	doc, err := body, error(nil)
	if syncml.Sniff(body) == syncml.WBXML {
		doc, err = syncml.ToXML(body)
	}
	if err != nil {
		return "This is no SyncML: " + err.Error()
	}
	p := printer{}
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.Strict = false
	for p.out.Len() < maxShown {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return p.out.String()
		}
		if err != nil {
			return p.out.String() + "\nThe rest cannot be read: " + err.Error()
		}
		p.print(token)
	}
	return p.out.String() + "\n… the rest is left out, because it is long"
}

// printer writes tokens with one element a line.
type printer struct {
	out   strings.Builder
	path  []string // open elements
	empty bool     // nothing came since the last one was opened
	text  bool     // text came last
}

func (p *printer) print(token xml.Token) {
	switch t := token.(type) {
	case xml.StartElement:
		p.line(len(p.path))
		p.out.WriteString("<" + t.Name.Local + ">")
		p.path = append(p.path, t.Name.Local)
		p.empty, p.text = true, false
	case xml.CharData:
		p.say(string(t))
	case xml.EndElement:
		p.path = p.path[:max(0, len(p.path)-1)]
		if !p.empty && !p.text {
			p.line(len(p.path))
		}
		p.out.WriteString("</" + t.Name.Local + ">")
		p.empty, p.text = false, false
	}
}

func (p *printer) line(depth int) {
	if p.out.Len() > 0 {
		p.out.WriteString("\n" + strings.Repeat("  ", depth))
	}
}

func (p *printer) say(s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	if p.isSecret() {
		s = left
	}
	p.out.WriteString(shortened(s))
	p.text = true
}

// isSecret looks at where the text stands.
func (p *printer) isSecret() bool {
	n := len(p.path)
	if n == 0 {
		return false
	}
	in := secret[p.path[n-1]]
	return slices.Contains(in, "") || n > 1 && slices.Contains(in, p.path[n-2])
}

func shortened(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return fmt.Sprintf("%s… (%d octets)", s[:end], len(s))
}
