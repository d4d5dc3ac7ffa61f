package dm

import (
	"regexp"
	"slices"

	"github.com/alwayson-sync/alwayson/ds"
)

// Format is the format of a node: node for an interior one (protocol.md H.4).
type Format string

// The formats. FormatB64 occurs on the wire only: it is how binary leaves travel in XML.
const (
	FormatB64   Format = "b64"
	FormatBin   Format = "bin"
	FormatBool  Format = "bool"
	FormatChr   Format = "chr"
	FormatInt   Format = "int"
	FormatNode  Format = "node"
	FormatNull  Format = "null"
	FormatXML   Format = "xml"
	FormatDate  Format = "date"
	FormatTime  Format = "time"
	FormatFloat Format = "float"
)

// Formats are all that occur on the wire.
var Formats = []Format{FormatB64, FormatBin, FormatBool, FormatChr, FormatInt, FormatNode, FormatNull, FormatXML, FormatDate, FormatTime, FormatFloat}

// Known tells whether f is a format.
func (f Format) Known() bool { return slices.Contains(Formats, f) }

// shapes are what values of a format look like; dates and times are those of ISO 8601 that the AOSP client takes.
var shapes = map[Format]*regexp.Regexp{
	// Nokia writes True and False, others 1 and 0 (protocol.md H.9).
	FormatBool:  regexp.MustCompile(`^(?i:true|false|1|0)$`),
	FormatInt:   regexp.MustCompile(`^[+-]?\d+$`),
	FormatFloat: regexp.MustCompile(`^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$`),
	FormatNull:  regexp.MustCompile(`^$`),
	FormatDate: regexp.MustCompile(`^\d{4}(-` + month + `(-` + day + `)?|` + month + `(` + day + `)?|-?` + yearDay +
		`|-W` + week + `(-[1-7])?|W` + week + `[1-7]?)?$`),
	FormatTime: regexp.MustCompile(`^` + hour + `(:[0-5]\d(:[0-5]\d)?|[0-5]\d([0-5]\d)?)?(Z|[+-]` + hour + `:[0-5]\d)?$`),
}

const (
	month   = `(0[1-9]|1[0-2])`
	day     = `(0[1-9]|[12]\d|3[01])`
	yearDay = `(00[1-9]|0[1-9]\d|[12]\d\d|3[0-5]\d|36[0-6])`
	week    = `(0[1-9]|[1-4]\d|5[0-3])`
	hour    = `([01]\d|2[0-3])`
)

// Check refuses data that is no value of f: 415.
func (f Format) Check(data []byte) error {
	if shape := shapes[f]; shape != nil && !shape.Match(data) {
		return Refuse(ds.StatusMediaType, "%.40q is no value of format %s", data, f)
	}
	return nil
}
