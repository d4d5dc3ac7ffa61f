package memstore

import (
	"cmp"
	"slices"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (t *tx) Link(device string, c dsstore.Collection) (dsstore.Link, error) {
	return t.links[place{device, c}], nil
}

func (t *tx) PutLink(device string, c dsstore.Collection, l dsstore.Link) error {
	l.Roll = stored(l.Roll)
	return put(t, t.links, place{device, c}, l)
}

func (t *tx) byLUID(device string, c dsstore.Collection, luid string, former bool) (dsstore.Mapping, error) {
	for _, m := range t.mappings[place{device, c}] {
		if luid != "" && m.LUID == luid && m.former == former {
			return m.Mapping, nil
		}
	}
	return dsstore.Mapping{}, dsstore.ErrNotFound
}

func (t *tx) ByLUID(device string, c dsstore.Collection, luid string) (dsstore.Mapping, error) {
	return t.byLUID(device, c, luid, false)
}

func (t *tx) Former(device string, c dsstore.Collection, luid string) (dsstore.Mapping, error) {
	return t.byLUID(device, c, luid, true)
}

func (t *tx) ByGUID(device string, c dsstore.Collection, guid string) (dsstore.Mapping, error) {
	m, ok := t.mappings[place{device, c}][guid]
	if !ok || m.former {
		return dsstore.Mapping{}, dsstore.ErrNotFound
	}
	return m.Mapping, nil
}

func (t *tx) PutMapping(device string, c dsstore.Collection, m dsstore.Mapping) error {
	p := place{device, c}
	if t.mappings[p] == nil {
		if err := put(t, t.mappings, p, map[string]mapping{}); err != nil {
			return err
		}
	}
	of := t.mappings[p]
	for guid, other := range of {
		if m.LUID != "" && other.LUID == m.LUID && guid != m.GUID {
			if err := drop(t, of, guid); err != nil {
				return err
			}
		}
	}
	return put(t, of, m.GUID, mapping{Mapping: m})
}

func (t *tx) DeleteMapping(device string, c dsstore.Collection, guid string) error {
	return drop(t, t.mappings[place{device, c}], guid)
}

func (t *tx) ClearMappings(device string, c dsstore.Collection) error {
	return drop(t, t.mappings, place{device, c})
}

func (t *tx) Forget(device string, c dsstore.Collection) error {
	of := t.mappings[place{device, c}]
	for guid, m := range of {
		m.former = true
		if err := put(t, of, guid, m); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) ForgetFormer(device string, c dsstore.Collection) error {
	of := t.mappings[place{device, c}]
	for guid, m := range of {
		if m.former {
			if err := drop(t, of, guid); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tx) Pending(device string, c dsstore.Collection, after int64, limit int) ([]dsstore.Pending, error) {
	out := t.pending(device, c, after, missing)
	return out[:min(len(out), limit)], nil
}

func (t *tx) CountPending(device string, c dsstore.Collection, after int64) (int, error) {
	return len(t.pending(device, c, after, missing)), nil
}

func (t *tx) Scope(device string, c dsstore.Collection, after int64, limit int) ([]dsstore.Pending, error) {
	out := t.pending(device, c, after, inReach)
	return out[:min(len(out), limit)], nil
}

// missing: the device has not got it, see dsstore.Maps.
func missing(p *dsstore.Pending) bool {
	if !p.Known {
		return !p.Item.Deleted
	}
	return p.Mapping.Rev < p.Item.Rev && (!p.Item.Deleted || p.Mapping.LUID != "")
}

// inReach: it is or was part of what the device has, see dsstore.Filters.
func inReach(p *dsstore.Pending) bool {
	return !p.Item.Deleted || p.Known && p.Mapping.Rev < p.Item.Rev && p.Mapping.LUID != ""
}

func (t *tx) pending(device string, c dsstore.Collection, after int64, want func(*dsstore.Pending) bool) []dsstore.Pending {
	x := t.at(c)
	if x == nil {
		return nil
	}
	of := t.mappings[place{device, c}]
	var out []dsstore.Pending
	for guid, it := range x.items {
		m, known := of[guid]
		if m.former {
			m, known = mapping{}, false
		}
		m.GUID = guid
		p := dsstore.Pending{Item: it.Item, Mapping: m.Mapping, Known: known, Facts: slices.Clone(it.facts)}
		if it.Rev > after && want(&p) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b dsstore.Pending) int { return cmp.Compare(a.Item.Rev, b.Item.Rev) })
	return out
}
