// Package dm is the vocabulary of OMA DM: addresses, formats, commands and properties of the nodes of a management tree, refusals, and alerts.
package dm

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alwayson-sync/alwayson/ds"
)

// Access is a set of commands on a node: what a description allows (AccessType) or an ACL grants (protocol.md H.4).
type Access uint8

// The commands that can be allowed, in the order of AccessType.
const (
	Add Access = 1 << iota
	Copy
	Delete
	Exec
	Get
	Replace
)

// Commands are the names of all commands in order; the name at i is that of 1<<i.
var Commands = [...]string{"Add", "Copy", "Delete", "Exec", "Get", "Replace"}

// Has tells whether all commands of b are in a.
func (a Access) Has(b Access) bool { return a&b == b }

// String is e.g. "Add, Get".
func (a Access) String() string {
	var names []string
	for i, name := range Commands {
		if a.Has(1 << i) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// ParseCommand finds the access that a command's name stands for.
func ParseCommand(name string) (a Access, ok bool) {
	for i, known := range Commands {
		if name == known {
			return 1 << i, true
		}
	}
	return 0, false
}

// The properties of a node (protocol.md H.4).
const (
	PropACL    = "ACL"
	PropFormat = "Format"
	PropName   = "Name"
	PropSize   = "Size"
	PropTitle  = "Title"
	PropTStamp = "TStamp"
	PropType   = "Type"
	PropVerNo  = "VerNo"
)

// Identifiers of the standard management objects, the Type of their interior nodes (protocol.md H.6 to H.9).
const (
	MODevInfo   = "urn:oma:mo:oma-dm-devinfo:1.0"
	MODevDetail = "urn:oma:mo:oma-dm-devdetail:1.0"
	MOInbox     = "urn:oma:mo:oma-dm-inbox:1.0"
	MODMAcc     = "urn:oma:mo:oma-dm-dmacc:1.0"
	MODS        = "urn:oma:mo:oma-ds:1.0" // this project's own
	MONAP       = "urn:oma:mo:oma-connmo-nap:1.0"
	MOProxy     = "urn:oma:mo:oma-connmo-proxy:1.0"
)

// Media types.
const (
	TypeText = "text/plain" // of a leaf for which nothing else is said
	TypeTNDS = "application/vnd.syncml.dmtnds+xml"
)

// Value is what a node holds.
type Value struct {
	Format Format // FormatB64 of one that was sent so: Data is decoded, and the format is the node's
	Type   string // media type of a leaf ("" is text/plain), identifier of the management object of an interior node, or ""
	Data   []byte // of a leaf
}

// IsNode tells whether the node is an interior one.
func (v Value) IsNode() bool { return v.Format == FormatNode }

// Error is a refusal: the status that goes to the server, and one sentence of what and why.
type Error struct {
	Status ds.Status
	URI    string // of the node that it is about, "" if that is the target of the command
	err    error
}

// Refuse makes a refusal. The text is that of fmt.Errorf; what it wraps can be found by callers.
func Refuse(s ds.Status, format string, args ...any) *Error {
	return &Error{Status: s, err: fmt.Errorf(format, args...)}
}

// At says which node a refusal is about.
func (e *Error) At(p Path) *Error {
	e.URI = p.String()
	return e
}

func (e *Error) Error() string { return e.err.Error() }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.err }

// StatusOf is the status that an error means to a server: 200 for none, 500 for one that says nothing else (protocol.md H.3).
func StatusOf(err error) ds.Status {
	var refusal *Error
	switch {
	case err == nil:
		return ds.StatusOK
	case errors.As(err, &refusal):
		return refusal.Status
	}
	return ds.StatusFailed
}
