package syncml

import (
	"fmt"

	"github.com/alwayson-sync/alwayson/ds/syncml/internal/wbxml"
)

// DecodeDevInf reads device information that is a document of its own, in either encoding.
func DecodeDevInf(in []byte) (*DevInf, error) {
	src, err := newSource(in, Sniff(in), wbxml.DevInf)
	if err != nil {
		return nil, fmt.Errorf("cannot decode device information: %w", err)
	}
	d := &decoder{src: src}
	inf := &DevInf{}
	if err := d.root("DevInf", func() error { return d.devInf(inf) }); err != nil {
		return nil, fmt.Errorf("cannot decode device information: %w", err)
	}
	return inf, nil
}

func (d *decoder) devInf(inf *DevInf) error {
	return d.children(func(name string) error {
		switch name {
		case "VerDTD":
			return d.trimmed(&inf.VerDTD)
		case "Man":
			return d.trimmed(&inf.Man)
		case "Mod":
			return d.trimmed(&inf.Mod)
		case "OEM":
			return d.trimmed(&inf.OEM)
		case "FwV":
			return d.trimmed(&inf.FwV)
		case "SwV":
			return d.trimmed(&inf.SwV)
		case "HwV":
			return d.trimmed(&inf.HwV)
		case "DevID":
			return d.trimmed(&inf.DevID)
		case "DevTyp":
			return d.trimmed(&inf.DevTyp)
		case "UTC":
			return d.flag(&inf.UTC)
		case "SupportLargeObjs":
			return d.flag(&inf.SupportLargeObjs)
		case "SupportNumberOfChanges":
			return d.flag(&inf.SupportNumberOfChanges)
		case "DataStore":
			inf.DataStores = append(inf.DataStores, DataStore{})
			return d.dataStore(&inf.DataStores[len(inf.DataStores)-1])
		case "CTCap":
			return d.ctCap(&inf.CTCaps)
		case "Ext":
			inf.Exts = append(inf.Exts, Ext{})
			return d.ext(&inf.Exts[len(inf.Exts)-1])
		}
		return d.skip()
	})
}

func (d *decoder) ext(x *Ext) error {
	return d.children(func(name string) error {
		switch name {
		case "XNam":
			return d.trimmed(&x.Name)
		case "XVal":
			return d.append(&x.Values)
		}
		return d.skip()
	})
}

func (d *decoder) dataStore(s *DataStore) error {
	return d.children(func(name string) error {
		switch name {
		case "SourceRef":
			return d.trimmed(&s.SourceRef)
		case "DisplayName":
			return d.trimmed(&s.DisplayName)
		case "MaxGUIDSize":
			return d.number(&s.MaxGUIDSize)
		case "Rx-Pref":
			return d.contentType(&s.RxPref)
		case "Tx-Pref":
			return d.contentType(&s.TxPref)
		case "Rx":
			return d.addContentType(&s.Rx)
		case "Tx":
			return d.addContentType(&s.Tx)
		case "CTCap":
			return d.ctCap(&s.CTCaps)
		case "DSMem":
			s.Mem = &DSMem{}
			return d.dsMem(s.Mem)
		case "SupportHierarchicalSync":
			return d.flag(&s.SupportHierarchicalSync)
		case "SyncCap":
			return d.children(func(name string) error {
				if name != "SyncType" {
					return d.skip()
				}
				return d.append(&s.SyncTypes)
			})
		case "Filter-Rx":
			return d.addContentType(&s.FilterRx)
		case "FilterCap":
			s.FilterCaps = append(s.FilterCaps, FilterCap{})
			return d.filterCap(&s.FilterCaps[len(s.FilterCaps)-1])
		}
		return d.skip()
	})
}

func (d *decoder) addContentType(list *[]ContentType) error {
	*list = append(*list, ContentType{})
	return d.contentType(&(*list)[len(*list)-1])
}

func (d *decoder) contentType(ct *ContentType) error {
	return d.children(func(name string) error {
		switch name {
		case "CTType":
			return d.trimmed(&ct.Type)
		case "VerCT":
			return d.trimmed(&ct.Version)
		}
		return d.skip()
	})
}

func (d *decoder) dsMem(m *DSMem) error {
	return d.children(func(name string) error {
		switch name {
		case "SharedMem":
			return d.flag(&m.Shared)
		case "MaxMem":
			return d.number(&m.MaxMem)
		case "MaxID":
			return d.number(&m.MaxID)
		}
		return d.skip()
	})
}

func (d *decoder) filterCap(f *FilterCap) error {
	return d.children(func(name string) error {
		switch name {
		case "CTType":
			return d.trimmed(&f.Type.Type)
		case "VerCT":
			return d.trimmed(&f.Type.Version)
		case "FilterKeyword":
			return d.append(&f.Keywords)
		case "PropName":
			return d.append(&f.Properties)
		}
		return d.skip()
	})
}

// ctCap reads both forms: 1.2 has one content type with Property elements; in 1.0 and 1.1 one element lists types,
// properties and parameters one behind the other, and what belongs to what follows from the order (protocol.md A.3).
func (d *decoder) ctCap(list *[]CTCap) error {
	var c *CTCap
	var p *Property
	var param *PropParam
	current := func() *CTCap {
		if c == nil {
			*list = append(*list, CTCap{})
			c = &(*list)[len(*list)-1]
		}
		return c
	}
	return d.children(func(name string) error {
		switch name {
		case "CTType":
			c, p, param = nil, nil, nil
			return d.trimmed(&current().Type.Type)
		case "VerCT":
			return d.trimmed(&current().Type.Version)
		case "FieldLevel":
			return d.flag(&current().FieldLevel)
		case "Property":
			current().Properties = append(c.Properties, Property{})
			return d.property(&c.Properties[len(c.Properties)-1])
		case "PropName":
			current().Properties = append(c.Properties, Property{})
			p, param = &c.Properties[len(c.Properties)-1], nil
			return d.trimmed(&p.Name)
		case "ParamName":
			if p == nil {
				return d.skip()
			}
			p.Params = append(p.Params, PropParam{})
			param = &p.Params[len(p.Params)-1]
			return d.trimmed(&param.Name)
		}
		return d.flatDetail(name, p, param)
	})
}

func (d *decoder) flatDetail(name string, p *Property, param *PropParam) error {
	switch {
	case p == nil:
		return d.skip()
	case name == "Size" || name == "MaxSize":
		return d.number(&p.MaxSize)
	case name == "ValEnum" && param != nil:
		return d.append(&param.Values)
	case name == "ValEnum":
		return d.append(&p.Values)
	case name == "DataType" && param != nil:
		return d.trimmed(&param.DataType)
	case name == "DataType":
		return d.trimmed(&p.DataType)
	case name == "DisplayName" && param != nil:
		return d.trimmed(&param.DisplayName)
	case name == "DisplayName":
		return d.trimmed(&p.DisplayName)
	}
	return d.skip()
}

func (d *decoder) property(p *Property) error {
	return d.children(func(name string) error {
		switch name {
		case "PropName":
			return d.trimmed(&p.Name)
		case "DataType":
			return d.trimmed(&p.DataType)
		case "MaxOccur":
			return d.number(&p.MaxOccur)
		case "MaxSize", "Size":
			return d.number(&p.MaxSize)
		case "NoTruncate":
			return d.flag(&p.NoTruncate)
		case "ValEnum":
			return d.append(&p.Values)
		case "DisplayName":
			return d.trimmed(&p.DisplayName)
		case "PropParam":
			p.Params = append(p.Params, PropParam{})
			return d.propParam(&p.Params[len(p.Params)-1])
		}
		return d.skip()
	})
}

func (d *decoder) propParam(p *PropParam) error {
	return d.children(func(name string) error {
		switch name {
		case "ParamName":
			return d.trimmed(&p.Name)
		case "DataType":
			return d.trimmed(&p.DataType)
		case "ValEnum":
			return d.append(&p.Values)
		case "DisplayName":
			return d.trimmed(&p.DisplayName)
		}
		return d.skip()
	})
}
