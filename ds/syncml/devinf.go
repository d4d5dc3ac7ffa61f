package syncml

// DevInf is device information (protocol.md A.3), of a device or of a server.
type DevInf struct {
	VerDTD                 string
	Man, Mod, OEM          string
	FwV, SwV, HwV          string
	DevID, DevTyp          string
	UTC                    bool
	SupportLargeObjs       bool
	SupportNumberOfChanges bool
	DataStores             []DataStore
	CTCaps                 []CTCap // direct children in 1.0 and 1.1 only
	Exts                   []Ext
}

// DataStore describes one datastore.
type DataStore struct {
	SourceRef               string
	DisplayName             string
	MaxGUIDSize             int64
	RxPref, TxPref          ContentType
	Rx, Tx                  []ContentType
	CTCaps                  []CTCap
	Mem                     *DSMem
	SupportHierarchicalSync bool
	SyncTypes               []string // decimal; unknown values occur (390001) and mean nothing
	FilterRx                []ContentType
	FilterCaps              []FilterCap
}

// ContentType is a type and its version, e.g. text/vcard 3.0.
type ContentType struct{ Type, Version string }

// CTCap is what properties a content type may have.
type CTCap struct {
	Type       ContentType
	FieldLevel bool
	Properties []Property
}

// Property is one property and its limits.
type Property struct {
	Name        string
	DataType    string
	MaxOccur    int64
	MaxSize     int64
	NoTruncate  bool
	Values      []string
	DisplayName string
	Params      []PropParam
}

// PropParam is one parameter of a property.
type PropParam struct {
	Name        string
	DataType    string
	Values      []string
	DisplayName string
}

// DSMem is the memory of a datastore.
type DSMem struct {
	Shared bool
	MaxMem int64 // octets
	MaxID  int64 // items
}

// FilterCap is what a datastore can filter by.
type FilterCap struct {
	Type       ContentType
	Keywords   []string
	Properties []string
}

// Ext is an extension, e.g. X-AlwaysOn.
type Ext struct {
	Name   string
	Values []string
}
