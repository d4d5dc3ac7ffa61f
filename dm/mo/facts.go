package mo

import (
	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
)

// Maker is who makes the program; there is no maker of the device that it knows.
const Maker = "alwayson"

// Addresses of the objects beside the settings.
const (
	info    = "./DevInfo"
	detail  = "./DevDetail"
	manager = "./DMAcc/1"
)

// Addresses of facts that programs look for by name.
const (
	StateNode   = account + "/AlwaysOn/State"
	EnabledNode = account + "/AlwaysOn/Enabled"
	OpenNode    = vendor + "/OpenSession"
)

// Fact is a node that is no setting: what a device tells of itself, or what it can be asked to do.
type Fact struct {
	Node   string    // as of a Setting
	Format dm.Format // "" is chr
	Exec   bool      // it is executed, and says nothing
	Help   string    // one sentence
}

// Facts are all of them. Secrets are none: they are not in the tree at all, so that nobody reads them.
var Facts = []Fact{
	{Node: info + "/DevId", Help: "The device as the administrator enrolled it."},
	{Node: info + "/Man", Help: "Who makes the program."},
	{Node: info + "/Mod", Help: "System and processor."},
	{Node: info + "/DmV", Help: "Version of device management."},
	{Node: info + "/Lang", Help: "Language of what the device says."},
	{Node: detail + "/URI/MaxDepth", Help: "Levels of an address."},
	{Node: detail + "/URI/MaxTotLen", Help: "Octets of an address."},
	{Node: detail + "/URI/MaxSegLen", Help: "Octets of a name."},
	{Node: detail + "/DevTyp", Help: "What kind of device it is."},
	{Node: detail + "/OEM", Help: "Who makes the program."},
	{Node: detail + "/FwV", Help: "The operating system."},
	{Node: detail + "/SwV", Help: "Version of the program."},
	{Node: detail + "/HwV", Help: "The processor."},
	{Node: detail + "/LrgObj", Format: dm.FormatBool, Help: "Large objects are understood."},
	{Node: manager + "/AppID", Help: "w7 is device management."},
	{Node: manager + "/ServerID", Help: "How the server that manages the device names itself."},
	{Node: manager + "/Name", Help: "The account as people call it."},
	{Node: manager + "/PrefConRef", Help: "How the device gets there: " + proxy + " if network.proxy names one, else " + nap + "."},
	{Node: manager + "/AppAddr/1/Addr", Help: "The broker that messages of device management go through."},
	{Node: manager + "/AppAddr/1/AddrType", Help: "What kind of address it is."},
	{Node: manager + "/AppAuth/1/AAuthLevel", Help: "CLCRED: how the device proves who it is."},
	{Node: manager + "/AppAuth/1/AAuthType", Help: "DIGEST is syncml:auth-md5."},
	{Node: manager + "/AppAuth/1/AAuthName", Help: "Who the device says it is."},
	{Node: manager + "/AppAuth/2/AAuthLevel", Help: "SRVCRED: how the server proves who it is."},
	{Node: manager + "/AppAuth/2/AAuthType", Help: "DIGEST is syncml:auth-md5."},
	{Node: manager + "/AppAuth/2/AAuthName", Help: "Who the server says it is."},
	{Node: account + "/AppID", Help: "w5 is data synchronization."},
	{Node: account + "/ServerID", Help: "How the server names itself in notifications."},
	{Node: account + "/Name", Help: "The account as people call it."},
	{Node: account + "/PrefConRef", Help: "How the device gets there: " + proxy + " if network.proxy names one, else " + nap + "."},
	{Node: account + "/SyncMLVersion", Help: "Version of the protocol."},
	{Node: account + "/AppAddr/1/AddrType", Help: "What kind of address it is."},
	{Node: account + "/AppAuth/1/AAuthLevel", Help: "CLCRED: how the device proves who it is."},
	{Node: account + "/DB/*/Name", Help: "The datastore as the user calls it."},
	{Node: account + "/DB/*/CTType", Help: "Type of its items."},
	{Node: account + "/DB/*/RemoteURI", Help: "Its address at the server."},
	{Node: account + "/DB/*/LocalURI", Help: "Its address on the device."},
	{Node: nap + "/ID", Help: "By which others refer to it."},
	{Node: nap + "/Name", Help: "The interface by which the device is connected now; unknown if there is none."},
	{Node: nap + "/AddrType", Help: "ALPHA: Addr are names."},
	{Node: proxy + "/ProxyId", Help: "By which others refer to it."},
	{Node: proxy + "/ConRefs/1/ConRef", Help: "How the device gets to it."},
	{Node: StateNode, Help: "Of the logical session: idle (Always-On is off), opening, synchronising, established (open, with nothing to do), retrying, lost, paused (by the user), held (it needs the user)."},
	{Node: OpenNode, Format: dm.FormatNull, Exec: true, Help: "Open a logical session, and synchronize nothing. 200: one is open; 202: it is being opened."},
}

func (f *Fact) leaf(name string) *ddf.Node {
	df := &ddf.DFProperties{Access: dm.Get, Format: f.format(), Occurrence: ddf.One, Permanent: true, Description: f.Help, MIME: []string{dm.TypeText}}
	if f.Exec {
		df.Access = dm.Exec
	}
	return &ddf.Node{Name: name, DF: df}
}

func (f *Fact) format() dm.Format {
	if f.Format == "" {
		return dm.FormatChr
	}
	return f.Format
}

// Way is by which object the device gets to its servers.
func Way(proxied bool) string {
	if proxied {
		return proxy
	}
	return nap
}

// Action is the node that is executed for something that an administrator can ask a device to do, by the key under which that is kept with the settings.
func Action(key string) (node string, ok bool) {
	node, ok = map[string]string{OpenSession: OpenNode}[key]
	return node, ok
}

// OpenSession is the key under which is kept that a device shall open a session (S3). There is no setting of that name.
const OpenSession = "session.open"
