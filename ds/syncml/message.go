// Package syncml is the SyncML 1.2 representation protocol: messages in Go, and as XML and as WBXML (protocol.md A, B).
// It reads 1.0 and 1.1 as well. It decides nothing about synchronization.
package syncml

import "github.com/alwayson-sync/alwayson/ds"

// Message is one SyncML message: the body of one HTTP request or response.
type Message struct {
	Header   Header
	Commands []Command // SyncBody in document order
	Final    bool      // last message of its package
}

// Header is SyncHdr. Versions, ids and numbers of messages are opaque text, compared for equality only.
type Header struct {
	VerDTD    string // "1.2"
	VerProto  string // "SyncML/1.2", "DM/1.2"
	SessionID string
	MsgID     string
	Target    Location
	Source    Location
	RespURI   string
	NoResp    bool
	Cred      *Cred
	Meta      Meta
}

// Location is a Target or Source.
type Location struct {
	URI    string  // LocURI
	Name   string  // LocName
	Filter *Filter // only in the Target of an Alert item (1.2)
}

// Meta is meta information of a header, command or item (MetInf). Zero values mean absent.
type Meta struct {
	Format     string
	Type       string
	Mark       string
	Size       int64 // octets of the complete object
	Anchor     *ds.Anchors
	Version    string
	NextNonce  string // base64 text
	MaxMsgSize int64  // octets
	MaxObjSize int64  // octets
	EMI        []string
	Mem        *Mem
	FieldLevel bool
}

// Mem is what memory a datastore has left.
type Mem struct {
	Shared  bool
	FreeMem int64 // octets
	FreeID  int64 // items
}

// Cred are credentials; Meta holds scheme and format.
type Cred struct {
	Meta Meta
	Data string
}

// Filter restricts a datastore (protocol.md E).
type Filter struct {
	Meta   Meta
	Field  *Item
	Record *Item
	Type   string // INCLUSIVE, EXCLUSIVE or ""
}

// Item is the object of a command.
type Item struct {
	Target       *Location
	Source       *Location
	SourceParent string // LocURI
	TargetParent string // LocURI
	Meta         Meta
	Data         *Data
	MoreData     bool
}

// Data is the payload of an item: text or bytes, or one of the embedded documents.
type Data struct {
	// Bytes is what the element holds as text, CDATA or opaque data. In a decoded message it may share memory with the
	// input. XML line ends are as the parser leaves them.
	Bytes  []byte
	DevInf *DevInf
	Anchor *ds.Anchors
	// Nodes are embedded elements of any other vocabulary, e.g. a management tree.
	Nodes []Node
}

// Node is an element that this package carries without knowing it.
type Node struct {
	Space string // XML namespace, "" if the document gives none
	Name  string
	Text  string
	Nodes []Node
}

// Command is one of *Alert, *Change, *Exec, *Get, *Group, *Map, *Put, *Results, *Search, *Status, *Sync.
type Command interface {
	// CommandID is the CmdID, unique in its message.
	CommandID() string
	// CommandName is the element name, e.g. "Add", as it stands in Status/Cmd.
	CommandName() string
}

// Alert tells or asks the other side something: sync types, next message, suspend.
type Alert struct {
	ID         string
	NoResp     bool
	Cred       *Cred
	Code       ds.Alert
	Correlator string
	Items      []Item
}

// Op is which element a Change is.
type Op int

// The operations of a Change.
const (
	OpAdd Op = iota + 1
	OpReplace
	OpDelete
	OpCopy
	OpMove
)

// Change is Add, Replace, Delete, Copy or Move.
type Change struct {
	Op      Op
	ID      string
	NoResp  bool
	Archive bool // Delete only
	SftDel  bool // Delete only
	Cred    *Cred
	Meta    Meta // default of each item's Meta
	Items   []Item
}

// Exec runs a process; DM only.
type Exec struct {
	ID         string
	NoResp     bool
	Cred       *Cred
	Meta       Meta
	Correlator string
	Item       Item
}

// Get asks for data, in DS for device information.
type Get struct {
	ID     string
	NoResp bool
	Lang   string
	Cred   *Cred
	Meta   Meta
	Items  []Item
}

// Put sends data unasked, in DS device information.
type Put struct {
	ID     string
	NoResp bool
	Lang   string
	Cred   *Cred
	Meta   Meta
	Items  []Item
}

// Results answers a Get.
type Results struct {
	ID        string
	MsgRef    string
	CmdRef    string
	Meta      Meta
	TargetRef string
	SourceRef string
	Items     []Item
}

// Group is Atomic or Sequence.
type Group struct {
	Atomic   bool // else Sequence
	ID       string
	NoResp   bool
	Meta     Meta
	Commands []Command
}

// Search is answered 406 and kept only so far that it can be.
type Search struct {
	ID     string
	NoResp bool
}

// Sync holds the changes of one datastore.
type Sync struct {
	ID              string
	NoResp          bool
	Cred            *Cred
	Target          Location
	Source          Location
	Meta            Meta
	NumberOfChanges int // total of the package, -1 if not given
	Commands        []Command
}

// Map binds ids of the server (GUID) to ids of the client (LUID).
type Map struct {
	ID     string
	Target Location
	Source Location
	Cred   *Cred
	Meta   Meta
	Items  []MapItem
}

// MapItem is one binding.
type MapItem struct {
	Target string // GUID
	Source string // LUID
}

// Status answers a command.
type Status struct {
	ID         string
	MsgRef     string
	CmdRef     string // "0" for SyncHdr
	Cmd        string
	TargetRefs []string
	SourceRefs []string
	Cred       *Cred
	Chal       *Meta // scheme, format, NextNonce
	Code       ds.Status
	Items      []Item
}

// CommandID and CommandName of each command, see Command.

func (c *Alert) CommandID() string   { return c.ID }
func (c *Change) CommandID() string  { return c.ID }
func (c *Exec) CommandID() string    { return c.ID }
func (c *Get) CommandID() string     { return c.ID }
func (c *Put) CommandID() string     { return c.ID }
func (c *Results) CommandID() string { return c.ID }
func (c *Group) CommandID() string   { return c.ID }
func (c *Search) CommandID() string  { return c.ID }
func (c *Sync) CommandID() string    { return c.ID }
func (c *Map) CommandID() string     { return c.ID }
func (c *Status) CommandID() string  { return c.ID }

func (c *Alert) CommandName() string   { return "Alert" }
func (c *Change) CommandName() string  { return c.Op.String() }
func (c *Exec) CommandName() string    { return "Exec" }
func (c *Get) CommandName() string     { return "Get" }
func (c *Put) CommandName() string     { return "Put" }
func (c *Results) CommandName() string { return "Results" }
func (c *Search) CommandName() string  { return "Search" }
func (c *Sync) CommandName() string    { return "Sync" }
func (c *Map) CommandName() string     { return "Map" }
func (c *Status) CommandName() string  { return "Status" }

func (c *Group) CommandName() string {
	if c.Atomic {
		return "Atomic"
	}
	return "Sequence"
}

// String is the element name.
func (o Op) String() string {
	switch o {
	case OpAdd:
		return "Add"
	case OpReplace:
		return "Replace"
	case OpDelete:
		return "Delete"
	case OpCopy:
		return "Copy"
	case OpMove:
		return "Move"
	}
	return "?"
}
