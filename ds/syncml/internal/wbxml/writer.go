package wbxml

import (
	"fmt"
	"slices"
	"strings"
)

// headers are what a document of each language and version begins with: WBXML 1.2, public id, UTF-8, no string table.
var headers = map[Language]map[string][]byte{
	SyncML: {
		"1.2": {0x02, 0xA4, 0x01, 0x6A, 0x00},
		"1.1": {0x02, 0x9F, 0x53, 0x6A, 0x00},
		"1.0": textual("-//SYNCML//DTD SyncML 1.0//EN"), // libsynthesis and phones write it so (peers.md 11)
	},
	DevInf: {
		"1.2": {0x02, 0xA4, 0x03, 0x6A, 0x00},
		"1.1": {0x02, 0x9F, 0x54, 0x6A, 0x00},
		"1.0": textual("-//SYNCML//DTD DevInf 1.0//EN"),
	},
	DDF: {"1.2": textual("-//OMA//DTD-DM-DDF 1.2//EN\x00")},
}

func textual(id string) []byte {
	return append([]byte{0x02, 0x00, 0x00, 0x6A, byte(len(id))}, id...)
}

// Writer writes a document. Its zero value is not usable.
type Writer struct {
	buf  []byte
	lang Language
	page byte
}

// Mark is a place to go back to.
type Mark struct {
	len  int
	page byte
}

// NewWriter writes the header for version "1.0", "1.1" or "1.2".
func NewWriter(lang Language, version string) *Writer {
	h := headers[lang][version]
	if h == nil {
		h = headers[lang]["1.2"]
	}
	return &Writer{buf: append(make([]byte, 0, 1024), h...), lang: lang}
}

// Start opens an element with content, Empty writes one without.
func (w *Writer) Start(space, name string) error { return w.tag(space, name, hasContent) }

// Empty writes an element without content.
func (w *Writer) Empty(space, name string) error { return w.tag(space, name, 0) }

func (w *Writer) tag(space, name string, flag byte) error {
	t, ok := w.code(space, name)
	if !ok {
		return fmt.Errorf("cannot write element %s in WBXML: it has no code", name)
	}
	if t.page != w.page {
		w.buf = append(w.buf, tokSwitchPage, t.page)
		w.page = t.page
	}
	w.buf = append(w.buf, t.code|flag)
	return nil
}

// Knows tells whether an element has a code in this document's language.
func (w *Writer) Knows(space, name string) bool {
	_, ok := w.code(space, name)
	return ok
}

// code finds the code of an element. A name that Reader made up for a code without a name goes back to that code.
func (w *Writer) code(space, name string) (tag, bool) {
	if t, ok := codes[w.lang][[2]string{space, name}]; ok {
		return t, true
	}
	if t, ok := madeUp(name); ok && space == "" {
		return t, true
	}
	t, ok := foldedCodes[w.lang][[2]string{space, strings.ToLower(name)}]
	return t, ok
}

func madeUp(name string) (t tag, ok bool) {
	n, err := fmt.Sscanf(name, unknownName, &t.page, &t.code)
	return t, n == 2 && err == nil && t.code >= firstTag && t.code <= tagMask
}

// End closes the element opened last.
func (w *Writer) End() { w.buf = append(w.buf, tokEnd) }

// Text writes text; opaque if it holds a NUL.
func (w *Writer) Text(s string) {
	if strings.IndexByte(s, 0) >= 0 {
		w.Opaque([]byte(s))
		return
	}
	w.buf = append(append(append(w.buf, tokStrI), s...), 0)
}

// Opaque writes octets.
func (w *Writer) Opaque(b []byte) {
	w.buf = append(w.buf, tokOpaque)
	w.buf = appendUint(w.buf, uint32(len(b)))
	w.buf = append(w.buf, b...)
}

func appendUint(b []byte, v uint32) []byte {
	shift := 28
	for shift > 0 && v>>shift == 0 {
		shift -= 7
	}
	for ; shift > 0; shift -= 7 {
		b = append(b, byte(v>>shift)&0x7F|0x80)
	}
	return append(b, byte(v)&0x7F)
}

// Grow makes room for n more octets.
func (w *Writer) Grow(n int) { w.buf = slices.Grow(w.buf, n) }

// Bytes is the document so far; Mark and Reset go back in it.
func (w *Writer) Bytes() []byte { return w.buf }

// Mark notes where the document ends now.
func (w *Writer) Mark() Mark { return Mark{len(w.buf), w.page} }

// Reset drops what was written since m.
func (w *Writer) Reset(m Mark) { w.buf, w.page = w.buf[:m.len], m.page }
