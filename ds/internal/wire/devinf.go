package wire

import (
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// Capability is the DevInf extension that says "I keep logical sessions" (design.md §4).
const Capability = "X-AlwaysOn"

// DevInfURI is where device information of SyncML 1.2 lies.
const DevInfURI = "./devinf12"

// DigestURI begins the names of what a device can ask for to compare both sides: datastore and prefix follow (package digest).
const DigestURI = "./x-alwayson/digest/"

// Limits that both ends announce.
const (
	// MaxMsgSize is the size of one message: large enough that the durable write behind each message (one syncfs or one
	// commit) costs little per item, small enough that a batch of items fits in memory.
	MaxMsgSize = 1 << 20
	MaxObjSize = pim.MaxItemSize
)

// Datastore is what device information tells of one datastore.
type Datastore struct {
	URI  string
	Kind pim.Kind
}

// DevInf is the device information of one of our ends.
func DevInf(id, typ, version string, stores []Datastore) *syncml.DevInf {
	d := &syncml.DevInf{
		VerDTD: "1.2", Man: "alwayson", Mod: "alwayson", SwV: version, DevID: id, DevTyp: typ,
		UTC: true, SupportLargeObjs: true, SupportNumberOfChanges: true,
		Exts: []syncml.Ext{{Name: Capability, Values: []string{"1"}}},
	}
	for _, s := range stores {
		d.DataStores = append(d.DataStores, dataStore(s))
	}
	return d
}

func dataStore(s Datastore) syncml.DataStore {
	ct := syncml.ContentType{Type: s.Kind.ContentType(), Version: version(s.Kind.ContentType())}
	return syncml.DataStore{
		SourceRef: s.URI, MaxGUIDSize: 64, RxPref: ct, TxPref: ct,
		SyncTypes: []string{"1", "2", "3", "4", "5", "6", "7"},
	}
}

func version(contentType string) string {
	switch contentType {
	case pim.TypeVCard:
		return "3.0"
	case pim.TypeICalendar:
		return "2.0"
	}
	return "1.0"
}

// AlwaysOn tells whether the sender of d keeps logical sessions.
func AlwaysOn(d *syncml.DevInf) bool {
	for _, e := range d.Exts {
		if e.Name == Capability {
			return true
		}
	}
	return false
}
