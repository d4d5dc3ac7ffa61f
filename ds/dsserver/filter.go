package dsserver

import (
	"errors"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/scope"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
	"github.com/alwayson-sync/alwayson/pim/mail"
)

// findScope is what the device wants of a datastore: what its Alert says, else what is stored. A code other than 200 is the answer to a
// filter that is not understood: passing over it could delete what the device wants (protocol.md E.1).
func (r *reply) findScope(st *storeState, e *syncml.Filter) (code ds.Status, err error) {
	if own, ok := wire.FindFilter(e); ok && r.x.aware {
		return r.ownFilter(st, own)
	}
	if e != nil {
		st.scope, code = standardScope(e, st.Kind)
		return code, nil
	}
	st.scope, err = scope.Of(r.tx, r.x.deviceID, st.c, st.Kind, r.now)
	return ds.StatusOK, err
}

// ownFilter takes a filter of one of our devices and remembers it.
func (r *reply) ownFilter(st *storeState, own wire.Filter) (ds.Status, error) {
	for _, text := range []string{own.Text, own.Travel} {
		f, err := filter.Parse(text)
		if err == nil {
			err = f.Validate(st.Kind)
		}
		if err != nil {
			return ds.StatusBadFilter, nil //nolint:nilerr // the device is told
		}
	}
	f := dsstore.Filter{Text: own.Text, By: r.x.deviceID, At: r.now, Travel: own.Travel, Until: own.Until}
	st.scope = scope.New(f, st.Kind, r.now)
	switch {
	case own.Preview:
	case own.LUID != "":
		st.scope = scope.Scope{Kind: st.Kind, LUID: own.LUID, Stay: true}
	case !own.Once:
		return ds.StatusOK, r.tx.PutFilter(r.x.deviceID, st.c, f)
	}
	return ds.StatusOK, nil
}

// preview answers what a filter would change, and changes nothing (F13).
func (r *reply) preview(c *syncml.Alert, it *syncml.Item, st *storeState) error {
	own, _ := wire.FindFilter(it.Target.Filter)
	n, err := r.differences(st)
	if err != nil {
		return err
	}
	own.Counts = wire.Counts(n)
	r.answerItem(c, it, ds.StatusOK)
	r.after = append(r.after, &syncml.Alert{Code: c.Code, Items: []syncml.Item{{
		Target: &syncml.Location{URI: st.peer, Filter: &syncml.Filter{Meta: syncml.Meta{Type: st.Kind.ContentType(), EMI: []string{own.EMI()}}}},
		Source: &syncml.Location{URI: st.target},
	}}})
	return nil
}

// differences counts what lies between what the device has and its scope.
func (r *reply) differences(st *storeState) (n scope.Difference, err error) {
	st.stale, st.cursor = true, 0
	for {
		list, more, err := r.next(st)
		if err != nil {
			return n, err
		}
		for i := range list {
			n.Count(list[i].verdict)
			st.cursor = list[i].Item.Rev
		}
		if !more {
			return n, nil
		}
	}
}

// standardScope reads a filter of the standard.
func standardScope(e *syncml.Filter, k pim.Kind) (scope.Scope, ds.Status) {
	s := scope.Scope{Kind: k}
	switch strings.ToUpper(e.Type) {
	case "INCLUSIVE":
		s.Stay = true
	case "EXCLUSIVE", "":
	default:
		return s, ds.StatusBadFilter
	}
	grammar, record := "", ""
	if e.Record != nil {
		grammar = e.Record.Meta.Type
		if e.Record.Data != nil {
			record = string(e.Record.Data.Bytes)
		}
	}
	if err := filter.CheckType("", e.Meta.Type, k); err != nil {
		return s, codeOfFilter(err)
	}
	if err := filter.CheckType(grammar, "", k); err != nil {
		return s, ds.StatusBadFilter
	}
	if id, ok := filter.LUID(record); ok {
		s.LUID = id
		return s, ds.StatusOK
	}
	f, err := filter.FromCGI(record, k)
	if err != nil {
		return s, codeOfFilter(err)
	}
	s.Filter = f
	if e.Field != nil {
		return withFields(s, e.Field)
	}
	return s, ds.StatusOK
}

// withFields adds which properties travel: a list in the vocabulary of device information.
func withFields(s scope.Scope, field *syncml.Item) (scope.Scope, ds.Status) {
	list, err := propertyList(field.Data)
	if err != nil {
		return s, ds.StatusBadFilter
	}
	if s.Kind == pim.Mail {
		p, err := list.Policy()
		if err != nil {
			return s, codeOfFilter(err)
		}
		s.Filter = s.Filter.WithPolicy(p)
		return s, ds.StatusOK
	}
	s.Fields = list
	return s, ds.StatusOK
}

// propertyList reads a list of properties: it is part of a document of device information, so it is read as such.
func propertyList(d *syncml.Data) (filter.Fields, error) {
	if d == nil {
		return nil, errors.New("the list of fields is empty")
	}
	doc := "<DevInf xmlns='syncml:devinf'><VerDTD>1.2</VerDTD><DataStore><SourceRef>./</SourceRef><CTCap><CTType>text/plain</CTType>" + string(d.Bytes) +
		"</CTCap></DataStore></DevInf>"
	inf, err := syncml.DecodeDevInf([]byte(doc))
	if err != nil {
		return nil, err
	}
	list := filter.Fields{}
	for _, c := range inf.DataStores[0].CTCaps {
		for _, p := range c.Properties {
			prop := filter.Property{Name: p.Name, MaxSize: p.MaxSize, NoTruncate: p.NoTruncate}
			for _, param := range p.Params {
				prop.Params = append(prop.Params, param.Name)
			}
			list = append(list, prop)
		}
	}
	return list, nil
}

// codeOfFilter is the Status for a filter that is not taken (protocol.md E.1).
func codeOfFilter(err error) ds.Status {
	switch {
	case errors.Is(err, filter.ErrType):
		return ds.StatusMediaType
	case errors.Is(err, filter.ErrUnsupported):
		return ds.StatusUnsupported
	}
	return ds.StatusBadFilter
}

// tell is the filter as the device is told what the server knows of it; nil for a device of others, and if none was ever set.
func (r *reply) tell(st *storeState) (*syncml.Filter, error) {
	if !r.x.aware {
		return nil, nil
	}
	f, err := r.tx.Filter(r.x.deviceID, st.c)
	if err != nil || f.At.IsZero() {
		return nil, err
	}
	own := wire.Filter{Text: f.Text, Travel: f.Travel, Until: f.Until}
	return &syncml.Filter{Meta: syncml.Meta{Type: st.Kind.ContentType(), EMI: []string{own.EMI()}}}, nil
}

// judged is an item with what is to be done about it.
type judged struct {
	dsstore.Pending
	verdict scope.Verdict
	policy  mail.Policy
}

// next lists what comes after the cursor, judged; more tells whether the list goes on.
func (r *reply) next(st *storeState) (out []judged, more bool, err error) {
	list := r.tx.Pending
	if st.stale {
		list = r.tx.Scope
	}
	pending, err := list(r.x.deviceID, st.c, st.cursor, page)
	for i := range pending {
		if err != nil {
			break
		}
		var j judged
		if j, err = r.examine(st, &pending[i]); err == nil {
			out = append(out, j)
		}
	}
	return out, len(pending) == page, err
}

// examine judges one item, and notes when time alone would change that.
func (r *reply) examine(st *storeState, p *dsstore.Pending) (judged, error) {
	look, err := st.scope.Look(r.tx, st.c, p, true)
	if err != nil {
		return judged{}, err
	}
	if at, ok := st.scope.NextChange(look, r.now); ok && (st.roll.IsZero() || at.Before(st.roll)) {
		st.roll = at
	}
	return judged{*p, st.scope.Judge(p, look, r.now), st.scope.Policy(look, r.now)}, nil
}

// unsettled is the scope of a device of which nobody knows for sure what it has: all is looked at again.
const unsettled = "?"

// settleScope notes under which scope the device has now what it has.
func (st *storeState) settleScope(l *dsstore.Link) {
	if st.scope.LUID != "" || !st.alert.FromServer() {
		return // nothing was looked at
	}
	if !st.stale && !l.Roll.IsZero() && (st.roll.IsZero() || l.Roll.Before(st.roll)) {
		st.roll = l.Roll
	}
	l.Scope, l.Roll = st.scope.String(), st.roll
	if t := st.scope.Until; !t.IsZero() && (l.Roll.IsZero() || t.Before(l.Roll)) {
		l.Roll = t
	}
	if st.again {
		l.Scope = unsettled // something could not leave or come
	}
}

// onlyNew tells whether what the device has not got is all that there is to be sent, whatever is in it.
func (st *storeState) onlyNew() bool { return st.scope.Everything() && !st.stale }

// count is how many changes are to be sent, -1 if that is not worth finding out.
func (r *reply) count(st *storeState) (int, error) {
	if st.onlyNew() {
		return r.tx.CountPending(r.x.deviceID, st.c, st.cursor)
	}
	cursor, roll, n := st.cursor, st.roll, 0
	defer func() { st.cursor, st.roll = cursor, roll }()
	for {
		list, more, err := r.next(st)
		if err != nil {
			return 0, err
		}
		for i := range list {
			if list[i].verdict != scope.Nothing {
				n++
			}
			st.cursor = list[i].Item.Rev
		}
		if !more {
			return n, nil
		}
	}
}

// SetFilter changes what a device wants of a collection, from the server's side (F1, F4). The device is told as after any other change, if it
// makes a difference to it (F8).
func (s *Server) SetFilter(tx dsstore.Tx, device string, c dsstore.Collection, f dsstore.Filter) error {
	d, ok := s.datastore(c.Store)
	if !ok {
		return dsstore.ErrNotFound
	}
	for _, text := range []string{f.Text, f.Travel} {
		parsed, err := filter.Parse(text)
		if err == nil {
			err = parsed.Validate(d.Kind)
		}
		if err != nil {
			return err
		}
	}
	if f.At.IsZero() {
		f.At = time.Now()
	}
	return tx.PutFilter(device, c, f)
}
