package cp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

const rootName = "wap-provisioningdoc"

// parseXML reads a document in XML. There are no entities but the predefined ones, and no document type of the document's own.
func parseXML(in []byte) (*Characteristic, error) {
	d := xml.NewDecoder(bytes.NewReader(in))
	var b builder
	for {
		t, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && b.root != nil:
			return b.root, nil
		case err != nil:
			return nil, fmt.Errorf("%w (offset %d)", err, d.InputOffset())
		}
		switch t := t.(type) {
		case xml.StartElement:
			err = b.start(t.Name.Local, attributes(t.Attr))
		case xml.EndElement:
			b.end()
		case xml.Directive:
			if bytes.ContainsAny(t, "[") {
				err = errors.New("it has a document type of its own")
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%w (offset %d)", err, d.InputOffset())
		}
	}
}

func attributes(all []xml.Attr) map[string]string {
	out := map[string]string{}
	for _, a := range all {
		out[a.Name.Local] = a.Value
	}
	return out
}

// builder makes a document of elements, whatever they were written as.
type builder struct {
	root *Characteristic
	open []*Characteristic // nil for elements that are no groups
	text int
}

func (b *builder) start(name string, attr map[string]string) error {
	strange := false
	for _, v := range attr {
		b.text += len(v)
		strange = strange || strings.ContainsFunc(v, control)
	}
	switch {
	case strange:
		return errors.New("a value has control characters")
	case b.text > maxText:
		return fmt.Errorf("its names and values have more than %d octets", maxText)
	case len(b.open) == maxDepth:
		return fmt.Errorf("it is deeper than %d levels", maxDepth)
	case b.root == nil && name == "CHARACTERISTIC-LIST":
		return errors.New("it holds settings of the format before OMA client provisioning (CHARACTERISTIC-LIST), which is not read")
	case b.root == nil && name != rootName:
		return fmt.Errorf("its root is %.40q, not %s", name, rootName)
	case b.root == nil:
		b.root = &Characteristic{}
		b.open = append(b.open, b.root)
		return nil
	case len(b.open) == 0:
		return errors.New("it has two roots")
	}
	b.open = append(b.open, b.put(b.open[len(b.open)-1], name, attr))
	return nil
}

// control tells characters that would do something on a terminal.
func control(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' }

// put puts an element into the group around it; what is unknown is passed over, with all that is in it.
func (b *builder) put(outer *Characteristic, name string, attr map[string]string) *Characteristic {
	switch {
	case outer == nil:
	case name == "characteristic":
		c := &Characteristic{Type: attr["type"]}
		outer.Below = append(outer.Below, c)
		return c
	case name == "parm" && attr["name"] != "":
		outer.Parms = append(outer.Parms, Parm{attr["name"], attr["value"]})
	}
	return nil
}

func (b *builder) end() { b.open = b.open[:len(b.open)-1] }
