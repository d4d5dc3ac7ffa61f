package syncml

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml/internal/wbxml"
)

// Decode reads a message. Unknown elements are passed over. The message may share memory with in, which must not be
// changed afterwards. Errors name the offset.
func Decode(in []byte, enc Encoding) (*Message, error) {
	src, err := newSource(in, enc, wbxml.SyncML)
	if err != nil {
		return nil, fmt.Errorf("cannot decode message: %w", err)
	}
	d := &decoder{src: src}
	var m Message
	err = d.root("SyncML", func() error { return d.message(&m) })
	if err == nil && !d.sawHeader {
		err = fmt.Errorf("it has no SyncHdr (offset %d)", src.Offset())
	}
	if err != nil {
		return nil, fmt.Errorf("cannot decode message: %w", err)
	}
	return &m, nil
}

// decoder reads elements by recursive descent. Each method reads what lies in an element whose start has been read, up to
// and including its end.
type decoder struct {
	src       source
	sawHeader bool
	elements  int

	words     words
	refs      slab[string]
	changes   slab[Change]
	statuses  slab[Status]
	items     slab[Item]
	locations slab[Location]
	datas     slab[Data]
}

// maxElements bounds what a document can cost: a tag of one octet becomes up to 300 octets in memory. The busiest message of 1 MiB, the most
// that our ends announce, has a third of it.
const maxElements = 1 << 19

// next reads a token.
func (d *decoder) next() (wbxml.Token, error) {
	t, err := d.src.Next()
	if t.Kind == wbxml.Start {
		d.elements++
		if d.elements > maxElements {
			err = fmt.Errorf("it has more than %d elements (offset %d)", maxElements, d.src.Offset())
		}
	}
	return t, err
}

func (d *decoder) root(name string, read func() error) error {
	t, err := d.next()
	for err == nil && t.Kind != wbxml.Start {
		t, err = d.next()
	}
	if err != nil {
		return err
	}
	if t.Name != name {
		return fmt.Errorf("its root is %s, not %s (offset %d)", t.Name, name, d.src.Offset())
	}
	return read()
}

// children calls child for each element, which must read it whole.
func (d *decoder) children(child func(name string) error) error {
	return d.content(nil, func(t wbxml.Token) error { return child(t.Name) })
}

// content reads up to the end of an element: child is called for each element in it, which it must read whole; what lies between them is put
// into text, unless that is nil.
func (d *decoder) content(text *[]byte, child func(wbxml.Token) error) error {
	for {
		t, err := d.next()
		if err != nil {
			return err
		}
		switch {
		case t.Kind == wbxml.End:
			return nil
		case t.Kind == wbxml.Start:
			if err := child(t); err != nil {
				return err
			}
		case text != nil:
			*text = appendText(*text, t.Text)
		}
	}
}

// skip passes over an element.
func (d *decoder) skip() error {
	return d.children(func(string) error { return d.skip() })
}

// bytes reads character data; elements in it are passed over.
func (d *decoder) bytes() (text []byte, err error) {
	err = d.content(&text, func(wbxml.Token) error { return d.skip() })
	return text, err
}

// appendText joins pieces of text. A single piece is not copied, and cannot grow over what follows it in the document.
func appendText(out, piece []byte) []byte {
	if out == nil {
		return slices.Clip(piece)
	}
	return append(out, piece...)
}

// trimmed reads a value in which white space means nothing: ids, numbers, URIs.
func (d *decoder) trimmed(into *string) error {
	b, err := d.bytes()
	*into = d.words.string(bytes.TrimSpace(b))
	return err
}

// number reads a decimal; anything else is as good as absent.
func (d *decoder) number(into *int64) error {
	b, err := d.bytes()
	if n, e := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64); e == nil && n >= 0 {
		*into = n
	}
	return err
}

func (d *decoder) flag(into *bool) error {
	*into = true
	return d.skip()
}

func (d *decoder) append(into *[]string) error {
	if *into == nil {
		*into = d.refs.list()
	}
	var s string
	err := d.trimmed(&s)
	*into = append(*into, s)
	return err
}

func (d *decoder) message(m *Message) error {
	return d.children(func(name string) error {
		switch name {
		case "SyncHdr":
			if d.sawHeader {
				return fmt.Errorf("it has two SyncHdr (offset %d)", d.src.Offset())
			}
			d.sawHeader = true
			return d.header(&m.Header)
		case "SyncBody":
			return d.body(m)
		}
		return d.skip()
	})
}

func (d *decoder) header(h *Header) error {
	return d.children(func(name string) error {
		switch name {
		case "VerDTD":
			return d.trimmed(&h.VerDTD)
		case "VerProto":
			return d.trimmed(&h.VerProto)
		case "SessionID":
			return d.trimmed(&h.SessionID)
		case "MsgID":
			return d.trimmed(&h.MsgID)
		case "Target":
			return d.location(&h.Target)
		case "Source":
			return d.location(&h.Source)
		case "RespURI":
			return d.trimmed(&h.RespURI)
		case "NoResp":
			return d.flag(&h.NoResp)
		case "Cred":
			return d.cred(&h.Cred)
		case "Meta":
			return d.meta(&h.Meta)
		}
		return d.skip()
	})
}

func (d *decoder) body(m *Message) error {
	return d.children(func(name string) error {
		if name == "Final" {
			return d.flag(&m.Final)
		}
		return d.command(name, &m.Commands)
	})
}

func (d *decoder) location(l *Location) error {
	return d.children(func(name string) error {
		switch name {
		case "LocURI":
			return d.trimmed(&l.URI)
		case "LocName":
			return d.trimmed(&l.Name)
		case "Filter":
			l.Filter = &Filter{}
			return d.filter(l.Filter)
		}
		return d.skip()
	})
}

func (d *decoder) optLocation(l **Location) error {
	*l = d.locations.one()
	return d.location(*l)
}

func (d *decoder) filter(f *Filter) error {
	return d.children(func(name string) error {
		switch name {
		case "Meta":
			return d.meta(&f.Meta)
		case "Field":
			return d.wrappedItem(&f.Field)
		case "Record":
			return d.wrappedItem(&f.Record)
		case "FilterType":
			return d.trimmed(&f.Type)
		}
		return d.skip()
	})
}

func (d *decoder) wrappedItem(into **Item) error {
	return d.children(func(name string) error {
		if name != "Item" {
			return d.skip()
		}
		*into = &Item{}
		return d.item(*into)
	})
}

func (d *decoder) cred(into **Cred) error {
	c := &Cred{}
	*into = c
	return d.children(func(name string) error {
		switch name {
		case "Meta":
			return d.meta(&c.Meta)
		case "Data":
			return d.trimmed(&c.Data)
		}
		return d.skip()
	})
}

func (d *decoder) meta(m *Meta) error {
	return d.children(func(name string) error {
		switch name {
		case "MetInf":
			return d.meta(m)
		case "Format":
			return d.trimmed(&m.Format)
		case "Type":
			return d.trimmed(&m.Type)
		case "Mark":
			return d.trimmed(&m.Mark)
		case "Size":
			return d.number(&m.Size)
		case "Anchor":
			m.Anchor = &ds.Anchors{}
			return d.anchor(m.Anchor)
		case "Version":
			return d.trimmed(&m.Version)
		case "NextNonce":
			return d.trimmed(&m.NextNonce)
		case "MaxMsgSize":
			return d.number(&m.MaxMsgSize)
		case "MaxObjSize":
			return d.number(&m.MaxObjSize)
		case "EMI":
			return d.append(&m.EMI)
		case "Mem":
			m.Mem = &Mem{}
			return d.mem(m.Mem)
		case "FieldLevel":
			return d.flag(&m.FieldLevel)
		}
		return d.skip()
	})
}

func (d *decoder) anchor(a *ds.Anchors) error {
	return d.children(func(name string) error {
		switch name {
		case "Last":
			return d.trimmed(&a.Last)
		case "Next":
			return d.trimmed(&a.Next)
		}
		return d.skip()
	})
}

func (d *decoder) mem(m *Mem) error {
	return d.children(func(name string) error {
		switch name {
		case "SharedMem":
			return d.flag(&m.Shared)
		case "FreeMem":
			return d.number(&m.FreeMem)
		case "FreeID":
			return d.number(&m.FreeID)
		}
		return d.skip()
	})
}
