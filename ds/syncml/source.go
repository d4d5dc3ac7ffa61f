package syncml

import (
	"strings"

	"github.com/alwayson-sync/alwayson/ds/syncml/internal/plainxml"
	"github.com/alwayson-sync/alwayson/ds/syncml/internal/wbxml"
)

// source is a document as tokens. Both encodings give the same ones, so that there is one decoder for both.
type source interface {
	Next() (wbxml.Token, error)
	Offset() int
}

// Sniff tells the encoding of a document by its first octet: a WBXML version, or anything that may begin XML.
func Sniff(in []byte) Encoding {
	if len(in) > 0 && in[0] <= 0x03 {
		return WBXML
	}
	return XML
}

// newSource opens a document; fallback is the language of WBXML whose public id says nothing.
func newSource(in []byte, enc Encoding, fallback wbxml.Language) (source, error) {
	if enc == XML {
		return plainxml.NewReader(in)
	}
	return wbxml.NewReader(in, fallback)
}

// ContentType is the media type of a DS message in e.
func (e Encoding) ContentType() string {
	if e == XML {
		return "application/vnd.syncml+xml"
	}
	return "application/vnd.syncml+wbxml"
}

// String is "XML" or "WBXML".
func (e Encoding) String() string {
	if e == XML {
		return "XML"
	}
	return "WBXML"
}

// ParseContentType tells the encoding of a DS or DM message by its media type; parameters do not matter.
func ParseContentType(ct string) (e Encoding, ok bool) {
	ct, _, _ = strings.Cut(ct, ";")
	switch strings.ToLower(strings.TrimSpace(ct)) {
	case "application/vnd.syncml+xml", "application/vnd.syncml.dm+xml":
		return XML, true
	case "application/vnd.syncml+wbxml", "application/vnd.syncml.dm+wbxml":
		return WBXML, true
	}
	return 0, false
}
