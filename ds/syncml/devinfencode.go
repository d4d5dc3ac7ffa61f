package syncml

import "github.com/alwayson-sync/alwayson/ds/syncml/internal/wbxml"

// EncodeDevInf writes device information as a document of its own.
func EncodeDevInf(inf *DevInf, enc Encoding) ([]byte, error) {
	e := &Encoder{enc: enc}
	if enc == XML {
		e.out = newXMLSink()
	} else {
		e.out = &wbxmlSink{w: wbxml.NewWriter(wbxml.DevInf, inf.VerDTD)}
	}
	e.devInf(inf)
	return e.out.bytes()
}

// nestedDevInf writes device information into Data: as elements in XML, as octets of a complete document in WBXML (protocol.md A.5).
func (e *Encoder) nestedDevInf(inf *DevInf) {
	if e.enc == XML {
		e.devInf(inf)
		return
	}
	doc, err := EncodeDevInf(inf, WBXML)
	e.out.(*wbxmlSink).keep(err)
	e.out.opaque(doc)
}

func (e *Encoder) devInf(inf *DevInf) {
	e.out.start(di, "DevInf")
	for _, f := range [...][2]string{{"VerDTD", inf.VerDTD}, {"Man", inf.Man}, {"Mod", inf.Mod}, {"OEM", inf.OEM}, {"FwV", inf.FwV},
		{"SwV", inf.SwV}, {"HwV", inf.HwV}, {"DevID", inf.DevID}, {"DevTyp", inf.DevTyp}} {
		e.textIn(di, f[0], f[1])
	}
	e.flag(di, "UTC", inf.UTC)
	e.flag(di, "SupportLargeObjs", inf.SupportLargeObjs)
	e.flag(di, "SupportNumberOfChanges", inf.SupportNumberOfChanges)
	for i := range inf.DataStores {
		e.dataStore(&inf.DataStores[i])
	}
	for i := range inf.CTCaps {
		e.ctCap(&inf.CTCaps[i])
	}
	for _, x := range inf.Exts {
		e.out.start(di, "Ext")
		e.textIn(di, "XNam", x.Name)
		e.list("XVal", x.Values)
		e.end()
	}
	e.end()
}

func (e *Encoder) list(name string, values []string) {
	for _, v := range values {
		e.textIn(di, name, v)
	}
}

func (e *Encoder) dataStore(s *DataStore) {
	e.out.start(di, "DataStore")
	e.textIn(di, "SourceRef", s.SourceRef)
	e.textIn(di, "DisplayName", s.DisplayName)
	e.number(di, "MaxGUIDSize", s.MaxGUIDSize)
	e.contentTypes("Rx-Pref", s.RxPref)
	e.contentTypes("Rx", s.Rx...)
	e.contentTypes("Tx-Pref", s.TxPref)
	e.contentTypes("Tx", s.Tx...)
	for i := range s.CTCaps {
		e.ctCap(&s.CTCaps[i])
	}
	if m := s.Mem; m != nil {
		e.out.start(di, "DSMem")
		e.flag(di, "SharedMem", m.Shared)
		e.number(di, "MaxMem", m.MaxMem)
		e.number(di, "MaxID", m.MaxID)
		e.end()
	}
	e.flag(di, "SupportHierarchicalSync", s.SupportHierarchicalSync)
	e.out.start(di, "SyncCap")
	e.list("SyncType", s.SyncTypes)
	e.end()
	e.contentTypes("Filter-Rx", s.FilterRx...)
	for _, f := range s.FilterCaps {
		e.out.start(di, "FilterCap")
		e.typeVersion(f.Type)
		e.list("FilterKeyword", f.Keywords)
		e.list("PropName", f.Properties)
		e.end()
	}
	e.end()
}

func (e *Encoder) contentTypes(name string, list ...ContentType) {
	for _, ct := range list {
		if ct != (ContentType{}) {
			e.out.start(di, name)
			e.typeVersion(ct)
			e.end()
		}
	}
}

func (e *Encoder) typeVersion(ct ContentType) {
	e.textIn(di, "CTType", ct.Type)
	e.textIn(di, "VerCT", ct.Version)
}

func (e *Encoder) ctCap(c *CTCap) {
	e.out.start(di, "CTCap")
	e.typeVersion(c.Type)
	e.flag(di, "FieldLevel", c.FieldLevel)
	for i := range c.Properties {
		e.property(&c.Properties[i])
	}
	e.end()
}

func (e *Encoder) property(p *Property) {
	e.out.start(di, "Property")
	e.textIn(di, "PropName", p.Name)
	e.textIn(di, "DataType", p.DataType)
	e.number(di, "MaxOccur", p.MaxOccur)
	e.number(di, "MaxSize", p.MaxSize)
	e.flag(di, "NoTruncate", p.NoTruncate)
	e.list("ValEnum", p.Values)
	e.textIn(di, "DisplayName", p.DisplayName)
	for _, q := range p.Params {
		e.out.start(di, "PropParam")
		e.textIn(di, "ParamName", q.Name)
		e.textIn(di, "DataType", q.DataType)
		e.list("ValEnum", q.Values)
		e.textIn(di, "DisplayName", q.DisplayName)
		e.end()
	}
	e.end()
}
