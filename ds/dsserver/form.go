package dsserver

import (
	"errors"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/internal/form"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// form is what the device can take and keep; nil for one of our own.
func (r *reply) form(st *storeState) *form.Form {
	if r.x.aware {
		return nil
	}
	if st.form == nil {
		inf, err := syncml.DecodeDevInf(r.x.device.DevInf)
		if err != nil {
			inf = nil // none has come yet
		}
		st.form = form.Of(inf, st.peer, st.Kind)
		if st.scope.Fields != nil {
			fields := st.scope.Fields
			st.form.Only(func(name string) bool {
				return slices.ContainsFunc(fields, func(p filter.Property) bool { return strings.EqualFold(p.Name, name) })
			}, func(body []byte) []byte { return filter.Reduce(body, fields) })
		}
	}
	return st.form
}

// restore brings back what the device could not keep of the item that it had. It changes the record, the body and the version alike.
func (r *reply) restore(st *storeState, in *reconcile.Incoming, cur dsstore.Item, m dsstore.Mapping, rec dsstore.Item, body []byte) (dsstore.Item, []byte, error) {
	f := r.form(st)
	if f == nil || body == nil || cur.GUID == "" {
		return rec, body, nil
	}
	original, err := r.held(cur, m)
	if err != nil {
		return rec, body, err
	}
	it := pim.Item{Type: rec.Type, Folder: rec.Folder, Name: rec.Name, Flags: rec.Flags, Body: body}
	it.Body = f.Restore(pim.Item{Type: cur.Type, Body: original}, it)
	whole := record(it)
	whole.Modified, whole.By = rec.Modified, rec.By
	in.Version = ds.VersionOf(whole.Hash)
	return whole, it.Body, nil
}

// held is the version that the device had, as far as that is known; else the one that the server has.
func (r *reply) held(cur dsstore.Item, m dsstore.Mapping) ([]byte, error) {
	if m.Hash != ([32]byte{}) {
		body, err := r.tx.Body(m.Hash)
		if err == nil || !errors.Is(err, dsstore.ErrNotFound) {
			return body, err
		}
	}
	return r.tx.Body(cur.Hash)
}
