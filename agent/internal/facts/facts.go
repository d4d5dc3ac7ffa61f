// Package facts is what the management tree has beside the settings: what the device tells of itself, the switch of Always-On, and what the device can
// be asked to do (protocol.md H.6 to H.9).
package facts

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// Store is a datastore of the device.
type Store struct{ Name, Type, Remote, Local string }

// Device is what is told. All must be set; the functions may be called from any goroutine, and do not block for long.
type Device struct {
	Info     dm.DevInfo
	Version  string // of the program
	OS, CPU  string
	ServerID string
	Stores   []Store
	// Account is as whom, at which server and by which broker the device works now.
	Account func() (user, server, broker string)
	Session func() session.Record
	// Network is the interface by which the device is connected, "" if there is none, and whether a proxy is used.
	Network func() (name string, proxied bool)
	// Switch flips Always-On, durably.
	Switch func(on bool) error
	// Open opens a session in which nothing is synchronized (S3): 200 if one is open, 202 if it is being opened.
	Open func() (ds.Status, error)
}

// Objects are those of the whole management tree, by address: the settings, which they lie beside of, are handed in by address, too.
func (d *Device) Objects(settings map[string]tree.Object) map[string]tree.Object {
	out := map[string]tree.Object{}
	for _, at := range []dm.Path{{"DevInfo"}, {"DevDetail"}, {"DMAcc"}} {
		out[at.String()] = &object{d: d, at: at}
	}
	for uri, s := range settings {
		at, err := dm.ParsePath(uri)
		if err != nil {
			continue // tree.Open refuses it
		}
		out[uri] = &object{d: d, at: at, settings: s}
	}
	return out
}

// object is the facts below a node, with the settings that are there, if any.
type object struct {
	d        *Device
	at       dm.Path
	settings tree.Object
}

// Nodes implements tree.Object.
func (o *object) Nodes() (map[string]dm.Value, error) {
	out := map[string]dm.Value{}
	if o.settings != nil {
		var err error
		if out, err = o.settings.Nodes(); err != nil {
			return nil, err
		}
	}
	for uri, v := range o.d.values() {
		p, err := dm.ParsePath(uri)
		if err != nil {
			return nil, err
		}
		if rest, ok := p.Below(o.at); ok && len(rest) > 0 {
			out[strings.TrimPrefix(rest.String(), "./")] = v
		}
	}
	return out, nil
}

// flips tells whether a change is that of the switch.
func (o *object) flips(c tree.Change) bool { return o.at.Child(c.Path...).String() == mo.EnabledNode }

// errFact is the answer to changes of what is as it is.
var errFact = dm.Refuse(ds.StatusNotAllowed, "what the device tells of itself cannot be changed")

// Check implements tree.Object.
func (o *object) Check(c tree.Change) error {
	switch {
	case o.flips(c) && c.New != nil:
		return dm.FormatBool.Check(c.New.Data)
	case o.settings == nil:
		return errFact
	}
	return o.settings.Check(c)
}

// Commit implements tree.Object. The switch is flipped last, when the settings are in order.
func (o *object) Commit(changes []tree.Change) error {
	var flip *dm.Value
	var rest []tree.Change
	for _, c := range changes {
		if o.flips(c) && c.New != nil {
			flip = c.New
			continue
		}
		rest = append(rest, c)
	}
	if len(rest) > 0 {
		if o.settings == nil {
			return errFact
		}
		if err := o.settings.Commit(rest); err != nil {
			return err
		}
	}
	if flip == nil || mo.IsTrue(*flip) == o.d.Session().On {
		return nil
	}
	return o.d.Switch(mo.IsTrue(*flip))
}

// Exec implements tree.Executor.
func (o *object) Exec(at dm.Path, _ tree.Call) (ds.Status, error) {
	if o.at.Child(at...).String() == mo.OpenNode {
		return o.d.Open()
	}
	return 0, dm.Refuse(ds.StatusUnsupported, "there is nothing to execute at %s", o.at.Child(at...))
}

// values are all facts as they are now, by address.
func (d *Device) values() map[string]dm.Value {
	out := map[string]dm.Value{
		"./DevDetail/LrgObj": yesNo(true),
		mo.EnabledNode:       yesNo(d.Session().On),
		mo.OpenNode:          {Format: dm.FormatNull},
	}
	for _, texts := range []map[string]string{d.device(), d.manager(), d.account(), d.ways()} {
		for uri, text := range texts {
			out[uri] = dm.Value{Format: dm.FormatChr, Data: []byte(text)}
		}
	}
	return out
}

func yesNo(yes bool) dm.Value {
	return dm.Value{Format: dm.FormatBool, Data: []byte(strconv.FormatBool(yes))}
}

func (d *Device) device() map[string]string {
	return map[string]string{
		"./DevInfo/DevId": d.Info.DevID, "./DevInfo/Man": d.Info.Man, "./DevInfo/Mod": d.Info.Mod, "./DevInfo/DmV": d.Info.DmV, "./DevInfo/Lang": d.Info.Lang,
		"./DevDetail/URI/MaxDepth":  strconv.Itoa(dm.MaxDepth),
		"./DevDetail/URI/MaxTotLen": strconv.Itoa(dm.MaxTotLen),
		"./DevDetail/URI/MaxSegLen": strconv.Itoa(dm.MaxSegLen),
		"./DevDetail/DevTyp":        "workstation",
		"./DevDetail/OEM":           d.Info.Man,
		"./DevDetail/FwV":           d.OS,
		"./DevDetail/SwV":           d.Version,
		"./DevDetail/HwV":           d.CPU,
	}
}

// manager is the account of device management. Its secrets are not in it.
func (d *Device) manager() map[string]string {
	user, _, broker := d.Account()
	return map[string]string{
		"./DMAcc/1/AppID": "w7", "./DMAcc/1/ServerID": d.ServerID, "./DMAcc/1/Name": d.ServerID,
		"./DMAcc/1/AppAddr/1/Addr": broker, "./DMAcc/1/AppAddr/1/AddrType": "URI",
		"./DMAcc/1/AppAuth/1/AAuthLevel": "CLCRED", "./DMAcc/1/AppAuth/1/AAuthType": "DIGEST", "./DMAcc/1/AppAuth/1/AAuthName": user,
		"./DMAcc/1/AppAuth/2/AAuthLevel": "SRVCRED", "./DMAcc/1/AppAuth/2/AAuthType": "DIGEST", "./DMAcc/1/AppAuth/2/AAuthName": d.ServerID,
	}
}

func (d *Device) account() map[string]string {
	user, server, _ := d.Account()
	out := map[string]string{
		"./DS/1/AppID": "w5", "./DS/1/ServerID": d.ServerID, "./DS/1/Name": user + " at " + server, "./DS/1/SyncMLVersion": "1.2",
		"./DS/1/AppAddr/1/AddrType": "URI", "./DS/1/AppAuth/1/AAuthLevel": "CLCRED",
		mo.StateNode: State(d.Session()),
	}
	for _, s := range d.Stores {
		at := dm.Path{"DS", "1", "DB", s.Name}.String()
		out[at+"/Name"], out[at+"/CTType"], out[at+"/RemoteURI"], out[at+"/LocalURI"] = s.Name, s.Type, s.Remote, s.Local
	}
	return out
}

// ways are how the device gets to its servers.
func (d *Device) ways() map[string]string {
	name, proxied := d.Network()
	return map[string]string{
		"./NAP/1/ID": "1", "./NAP/1/Name": cmp.Or(name, "unknown"), "./NAP/1/AddrType": "ALPHA",
		"./Proxy/1/ProxyId": "1", "./Proxy/1/ConRefs/1/ConRef": mo.Way(false),
		"./DMAcc/1/PrefConRef": mo.Way(proxied), "./DS/1/PrefConRef": mo.Way(proxied),
	}
}

// State is where a session stands, in the words of the tree (protocol.md H.8).
func State(r session.Record) string {
	switch r.State {
	case session.Off, "":
		return "idle"
	case session.Syncing:
		return "synchronising"
	case session.Idle:
		return "established"
	}
	return string(r.State)
}
