// Package wbxml is the token level of WBXML as SyncML uses it (protocol.md B): headers, code pages, strings, opaque data.
// It knows names, not meanings.
package wbxml

import "strings"

// Language is a family of code pages. The public id selects only the family, never the protocol version (protocol.md B.2).
type Language int

// The languages.
const (
	SyncML Language = iota // page 0 SyncML, page 1 MetInf
	DevInf
	DDF
)

// Page names. They double as XML namespaces.
const (
	SpaceSyncML = "SYNCML:SYNCML1.2"
	SpaceMetInf = "syncml:metinf"
	SpaceDevInf = "syncml:devinf"
	SpaceDDF    = "syncml:dmddf1.2"
)

const firstTag = 0x05 // tags start here on every page

// pages are the tag names of each page from firstTag on; "" is an unused code.
var syncmlPage = []string{
	"Add", "Alert", "Archive", "Atomic", "Chal", "Cmd", "CmdID", "CmdRef", "Copy", "Cred", "Data", "Delete", "Exec", "Final",
	"Get", "Item", "Lang", "LocName", "LocURI", "Map", "MapItem", "Meta", "MsgID", "MsgRef", "NoResp", "NoResults", "Put",
	"Replace", "RespURI", "Results", "Search", "Sequence", "SessionID", "SftDel", "Source", "SourceRef", "Status", "Sync",
	"SyncBody", "SyncHdr", "SyncML", "Target", "TargetRef", "", "VerDTD", "VerProto", "NumberOfChanges", "MoreData", "Field",
	"Filter", "Record", "FilterType", "SourceParent", "TargetParent", "Move", "Correlator",
}

var metinfPage = []string{
	"Anchor", "EMI", "Format", "FreeID", "FreeMem", "Last", "Mark", "MaxMsgSize", "Mem", "MetInf", "Next", "NextNonce",
	"SharedMem", "Size", "Type", "Version", "MaxObjSize", "FieldLevel",
}

var devinfPage = []string{
	"CTCap", "CTType", "DataStore", "DataType", "DevID", "DevInf", "DevTyp", "DisplayName", "DSMem", "Ext", "FwV", "HwV", "Man",
	"MaxGUIDSize", "MaxID", "MaxMem", "Mod", "OEM", "ParamName", "PropName", "Rx", "Rx-Pref", "SharedMem", "MaxSize", "SourceRef",
	"SwV", "SyncCap", "SyncType", "Tx", "Tx-Pref", "ValEnum", "VerCT", "VerDTD", "XNam", "XVal", "UTC", "SupportNumberOfChanges",
	"SupportLargeObjs", "Property", "PropParam", "MaxOccur", "NoTruncate", "", "Filter-Rx", "FilterCap", "FilterKeyword",
	"FieldLevel", "SupportHierarchicalSync",
}

var ddfPage = []string{
	"AccessType", "ACL", "Add", "b64", "bin", "bool", "chr", "CaseSense", "CIS", "Copy", "CS", "date", "DDFName", "DefaultValue",
	"Delete", "Description", "DFFormat", "DFProperties", "DFTitle", "DFType", "Dynamic", "Exec", "float", "Format", "Get", "int",
	"Man", "MgmtTree", "MIME", "Mod", "Name", "Node", "node", "NodeName", "null", "Occurrence", "One", "OneOrMore", "OneOrN",
	"Path", "Permanent", "Replace", "RTProperties", "Scope", "Size", "time", "Title", "TStamp", "Type", "Value", "VerDTD",
	"VerNo", "xml", "ZeroOrMore", "ZeroOrN", "ZeroOrOne",
}

// page is one code page: its number, namespace and names.
type page struct {
	number byte
	space  string
	names  []string
}

var languages = map[Language][]page{
	SyncML: {{0, SpaceSyncML, syncmlPage}, {1, SpaceMetInf, metinfPage}},
	DevInf: {{0, SpaceDevInf, devinfPage}},
	DDF:    {{2, SpaceDDF, ddfPage}},
}

// tag is a code on a page.
type tag struct{ page, code byte }

// foldedCodes are codes by names in lower case, for those who write DevId or FreeId.
var foldedCodes = func() map[Language]map[[2]string]tag {
	all := make(map[Language]map[[2]string]tag)
	for lang, names := range codes {
		all[lang] = make(map[[2]string]tag)
		for k, t := range names {
			all[lang][[2]string{k[0], strings.ToLower(k[1])}] = t
		}
	}
	return all
}()

// codes are the tags of a language by namespace and name.
var codes = func() map[Language]map[[2]string]tag {
	all := make(map[Language]map[[2]string]tag)
	for lang, pages := range languages {
		all[lang] = make(map[[2]string]tag)
		for _, p := range pages {
			for i, name := range p.names {
				if name != "" {
					all[lang][[2]string{p.space, name}] = tag{p.number, byte(firstTag + i)}
				}
			}
		}
	}
	all[DevInf][[2]string{SpaceDevInf, "Size"}] = all[DevInf][[2]string{SpaceDevInf, "MaxSize"}] // its name before 1.2
	return all
}()

// publicIDs are the numeric public identifiers (protocol.md B.2).
var publicIDs = map[uint32]Language{
	0x0FD1: SyncML, 0x0FD3: SyncML, 0x1201: SyncML, 0x1202: SyncML,
	0x0FD2: DevInf, 0x0FD4: DevInf, 0x1203: DevInf,
}

// Global tokens.
const (
	tokSwitchPage = 0x00
	tokEnd        = 0x01
	tokEntity     = 0x02
	tokStrI       = 0x03
	tokLiteral    = 0x04
	tokExtI0      = 0x40
	tokPI         = 0x43
	tokExtT0      = 0x80
	tokStrT       = 0x83
	tokExt0       = 0xC0
	tokOpaque     = 0xC3

	hasContent    = 0x40
	hasAttributes = 0x80
	tagMask       = 0x3F
)
