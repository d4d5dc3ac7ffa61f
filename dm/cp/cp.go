// Package cp reads documents of OMA client provisioning, by which devices are set up from outside, and finds in them what is for this program: accounts
// of data synchronization (w5) and of device management (w7), in the words of the management tree (protocol.md H.7, H.8, H.10). It performs no I/O.
package cp

import (
	"fmt"
	"strings"
)

// Bounds of a document. The largest in the corpus has 3 kB, 5 levels, and 250 parameters; what comes by SMS is smaller still.
const (
	maxOctets = 256 << 10
	maxDepth  = 16
	maxText   = 1 << 20 // octets of all names and values: strings of a WBXML table can be used many times
)

// Characteristic is a group of parameters with the groups below it. That of a whole document has no type.
type Characteristic struct {
	Type  string
	Parms []Parm
	Below []*Characteristic
}

// Parm is a parameter.
type Parm struct{ Name, Value string }

// Parse reads a document in XML (text/vnd.wap.connectivity-xml) or WBXML (application/vnd.wap.connectivity-wbxml).
func Parse(in []byte) (*Characteristic, error) {
	if len(in) > maxOctets {
		return nil, fmt.Errorf("cannot read provisioning document: its %d octets are more than %d", len(in), maxOctets)
	}
	parse := parseWBXML
	if isXML(in) {
		parse = parseXML
	}
	doc, err := parse(in)
	if err != nil {
		return nil, fmt.Errorf("cannot read provisioning document: %w", err)
	}
	return doc, nil
}

// isXML tells XML from WBXML, whose first octet is a small number.
func isXML(in []byte) bool { return len(in) > 0 && in[0] > 3 }

// Get is the first value of a parameter, "" if there is none.
func (c *Characteristic) Get(name string) string {
	for _, p := range c.Parms {
		if p.Name == name {
			return strings.TrimSpace(p.Value)
		}
	}
	return ""
}

// All are the groups of a type directly below.
func (c *Characteristic) All(kind string) (out []*Characteristic) {
	for _, b := range c.Below {
		if b.Type == kind {
			out = append(out, b)
		}
	}
	return out
}

// first is the first group of a type directly below, an empty one if there is none.
func (c *Characteristic) first(kind string) *Characteristic {
	for _, b := range c.Below {
		if b.Type == kind {
			return b
		}
	}
	return &Characteristic{Type: kind}
}
