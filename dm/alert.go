package dm

import "github.com/alwayson-sync/alwayson/ds"

// The alert codes of device management (protocol.md H.2).
const (
	AlertDisplay        ds.Alert = 1100
	AlertConfirm        ds.Alert = 1101
	AlertTextInput      ds.Alert = 1102
	AlertSingleChoice   ds.Alert = 1103
	AlertMultipleChoice ds.Alert = 1104
	AlertByServer       ds.Alert = 1200 // the server has asked for the session
	AlertByClient       ds.Alert = 1201
	AlertNextMessage    ds.Alert = 1222
	AlertAbort          ds.Alert = 1223
	AlertNoEndOfData    ds.Alert = 1225
	AlertGeneric        ds.Alert = 1226
)

// AsksUser tells whether a is one by which a server talks to the user.
func AsksUser(a ds.Alert) bool { return a >= AlertDisplay && a <= AlertMultipleChoice }

// Event is a generic alert: what a device tells a server on its own account (protocol.md H.2). It goes in one message, and comes twice if the answer
// to it was lost.
type Event struct {
	ID         string // the device's own, not sent
	Type       string // e.g. "Reversed-Domain-Name: org.example.settings"
	URI        string // of the node that it is about, or ""
	Mark       string // importance, "" is informational
	Correlator string // of the Exec whose outcome it tells, or ""
	Format     Format // "" is chr
	Data       []byte
}

// DevInfo is what a device says about itself in each session (protocol.md H.6).
type DevInfo struct {
	DevID string // a URN, e.g. "IMEI:35-1"
	Man   string
	Mod   string
	DmV   string // version of device management
	Lang  string
}

// DevInfoNode is one value of DevInfo with its address.
type DevInfoNode struct {
	URI   string
	Value *string
}

// Nodes are the values of d with their addresses, for reading and for setting.
func (d *DevInfo) Nodes() []DevInfoNode {
	return []DevInfoNode{{"./DevInfo/DevId", &d.DevID}, {"./DevInfo/Man", &d.Man}, {"./DevInfo/Mod", &d.Mod}, {"./DevInfo/DmV", &d.DmV}, {"./DevInfo/Lang", &d.Lang}}
}
