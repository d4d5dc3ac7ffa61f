package syncml

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml/internal/wbxml"
)

// Encode writes a whole message.
func Encode(m *Message, enc Encoding) ([]byte, error) {
	e := NewEncoder(enc, &m.Header)
	for _, c := range m.Commands {
		e.Command(c)
	}
	return e.Finish(m.Final)
}

// Encoder writes a message command by command, so that a sender can fill it up to the size that its peer takes without
// holding it as a tree. It remembers the first error for Finish.
type Encoder struct {
	out     sink
	enc     Encoding
	version string
}

// Mark is a place in a message to go back to.
type Mark struct{ m any }

const sp, mi, di = wbxml.SpaceSyncML, wbxml.SpaceMetInf, wbxml.SpaceDevInf

// NewEncoder begins a message.
func NewEncoder(enc Encoding, h *Header) *Encoder {
	e := &Encoder{enc: enc, version: h.VerDTD}
	if enc == XML {
		e.out = newXMLSink()
	} else {
		e.out = &wbxmlSink{w: wbxml.NewWriter(wbxml.SyncML, h.VerDTD)}
	}
	e.out.start(e.space(), "SyncML")
	e.header(h)
	e.start("SyncBody")
	return e
}

// space is the namespace of the SyncML elements; the code page of WBXML is the same for all versions.
func (e *Encoder) space() string {
	if e.enc == XML && (e.version == "1.0" || e.version == "1.1") {
		return "SYNCML:SYNCML" + e.version
	}
	return sp
}

// tail is room for what Finish adds: the ends of Sync, SyncBody and SyncML, and Final.
func (e *Encoder) tail() int {
	if e.enc == XML {
		return len("</Sync><Final/></SyncBody></SyncML>")
	}
	return 8
}

// Len is how long the message will be at most if it is finished now.
func (e *Encoder) Len() int { return e.out.len() + e.tail() }

// Grow makes room for n more octets, for who knows how long the message will be.
func (e *Encoder) Grow(n int) { e.out.grow(n) }

// Mark notes where the message ends now.
func (e *Encoder) Mark() Mark { return Mark{e.out.mark()} }

// Reset drops what was written since m.
func (e *Encoder) Reset(m Mark) { e.out.reset(m.m) }

// Finish ends the message and returns it.
func (e *Encoder) Finish(final bool) ([]byte, error) {
	if final {
		e.out.empty(e.space(), "Final")
	}
	e.end()
	e.end()
	b, err := e.out.bytes()
	if err != nil {
		return nil, fmt.Errorf("cannot encode message: %w", err)
	}
	return b, nil
}

func (e *Encoder) start(name string) { e.out.start(e.space(), name) }
func (e *Encoder) end()              { e.out.end() }

// text writes an element if it has a value.
func (e *Encoder) text(name, value string) { e.textIn(e.space(), name, value) }

func (e *Encoder) textIn(space, name, value string) {
	if value == "" {
		return
	}
	e.out.start(space, name)
	e.out.text(value)
	e.out.end()
}

func (e *Encoder) number(space, name string, n int64) {
	if n != 0 {
		e.textIn(space, name, strconv.FormatInt(n, 10))
	}
}

func (e *Encoder) flag(space, name string, on bool) {
	if on {
		e.out.empty(space, name)
	}
}

func (e *Encoder) header(h *Header) {
	e.start("SyncHdr")
	e.text("VerDTD", h.VerDTD)
	e.text("VerProto", h.VerProto)
	e.text("SessionID", h.SessionID)
	e.text("MsgID", h.MsgID)
	e.location("Target", &h.Target)
	e.location("Source", &h.Source)
	e.text("RespURI", h.RespURI)
	e.flag(e.space(), "NoResp", h.NoResp)
	e.cred(h.Cred)
	e.meta(&h.Meta)
	e.end()
}

func (e *Encoder) location(name string, l *Location) {
	if l == nil {
		return
	}
	e.start(name)
	e.text("LocURI", l.URI)
	e.text("LocName", l.Name)
	if l.Filter != nil {
		e.filter(l.Filter)
	}
	e.end()
}

func (e *Encoder) filter(f *Filter) {
	e.start("Filter")
	e.meta(&f.Meta)
	e.wrapped("Field", f.Field)
	e.wrapped("Record", f.Record)
	e.text("FilterType", f.Type)
	e.end()
}

func (e *Encoder) wrapped(name string, it *Item) {
	if it != nil {
		e.start(name)
		e.item(it, false)
		e.end()
	}
}

func (e *Encoder) cred(c *Cred) {
	if c == nil {
		return
	}
	e.start("Cred")
	e.meta(&c.Meta)
	e.text("Data", c.Data)
	e.end()
}

func (m *Meta) isZero() bool {
	return m.Format == "" && m.Type == "" && m.Mark == "" && m.Size == 0 && m.Anchor == nil && m.Version == "" && m.NextNonce == "" &&
		m.MaxMsgSize == 0 && m.MaxObjSize == 0 && len(m.EMI) == 0 && m.Mem == nil && !m.FieldLevel
}

func (e *Encoder) meta(m *Meta) {
	if m.isZero() {
		return
	}
	e.start("Meta")
	e.textIn(mi, "Format", m.Format)
	e.textIn(mi, "Type", m.Type)
	e.textIn(mi, "Mark", m.Mark)
	e.number(mi, "Size", m.Size)
	if m.Anchor != nil {
		e.anchor(m.Anchor)
	}
	e.textIn(mi, "Version", m.Version)
	e.textIn(mi, "NextNonce", m.NextNonce)
	e.number(mi, "MaxMsgSize", m.MaxMsgSize)
	e.number(mi, "MaxObjSize", m.MaxObjSize)
	for _, emi := range m.EMI {
		e.textIn(mi, "EMI", emi)
	}
	e.mem(m.Mem)
	e.flag(mi, "FieldLevel", m.FieldLevel)
	e.end()
}

func (e *Encoder) anchor(a *ds.Anchors) {
	e.out.start(mi, "Anchor")
	e.textIn(mi, "Last", a.Last)
	e.textIn(mi, "Next", a.Next)
	e.end()
}

func (e *Encoder) mem(m *Mem) {
	if m == nil {
		return
	}
	e.out.start(mi, "Mem")
	e.flag(mi, "SharedMem", m.Shared)
	e.textIn(mi, "FreeMem", strconv.FormatInt(m.FreeMem, 10))
	e.textIn(mi, "FreeID", strconv.FormatInt(m.FreeID, 10))
	e.end()
}

// item writes an Item; object says that its Data is an object, which goes as octets (libwbxml does the same, protocol.md B.7).
func (e *Encoder) item(it *Item, object bool) {
	e.start("Item")
	e.location("Target", it.Target)
	e.location("Source", it.Source)
	e.parent("SourceParent", it.SourceParent)
	e.parent("TargetParent", it.TargetParent)
	meta, body := it.Meta, it.Data
	if body != nil && e.enc == XML && !XMLText(body.Bytes) {
		meta.Format = "b64" // XML cannot carry these octets
		body = &Data{Bytes: base64.StdEncoding.AppendEncode(nil, body.Bytes)}
	}
	e.meta(&meta)
	e.data(body, object)
	e.flag(e.space(), "MoreData", it.MoreData)
	e.end()
}

func (e *Encoder) parent(name, uri string) {
	if uri != "" {
		e.location(name, &Location{URI: uri})
	}
}

func (e *Encoder) data(d *Data, object bool) {
	if d == nil {
		return
	}
	if len(d.Bytes) == 0 && d.DevInf == nil && d.Anchor == nil && len(d.Nodes) == 0 {
		e.out.empty(e.space(), "Data")
		return
	}
	e.start("Data")
	switch {
	case d.DevInf != nil:
		e.nestedDevInf(d.DevInf)
	case d.Anchor != nil:
		e.anchor(d.Anchor)
	case len(d.Nodes) > 0:
		e.nodes(d.Nodes)
	case object:
		e.out.opaque(d.Bytes)
	default:
		e.out.text(string(d.Bytes))
	}
	e.end()
}

// nodes writes embedded elements; in WBXML as text, since their vocabulary has codes of its own.
func (e *Encoder) nodes(nodes []Node) {
	if e.enc == XML {
		writeNodes(e.out, nodes)
		return
	}
	x := &xmlSink{}
	writeNodes(x, nodes)
	e.out.opaque(x.b.Bytes())
}

func writeNodes(out sink, nodes []Node) {
	for i := range nodes {
		n := &nodes[i]
		if n.Text == "" && len(n.Nodes) == 0 {
			out.empty(n.Space, n.Name)
			continue
		}
		out.start(n.Space, n.Name)
		out.text(n.Text)
		writeNodes(out, n.Nodes)
		out.end()
	}
}

// Body is the object that an item carries, with base64 undone where the item says so.
func (it *Item) Body() ([]byte, error) {
	if it.Data == nil {
		return nil, nil
	}
	if it.Meta.Format != "b64" {
		return it.Data.Bytes, nil
	}
	b, err := base64.StdEncoding.DecodeString(string(it.Data.Bytes))
	if err != nil {
		return nil, fmt.Errorf("cannot read item: bad base64: %v", err)
	}
	return b, nil
}
