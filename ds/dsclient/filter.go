package dsclient

import (
	"errors"
	"fmt"
	"slices"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// filterOf is the filter that goes with the Alert of a datastore: in our own words for a server of ours, which keeps it, and in the
// standard's for another one, which is told in each exchange anew (protocol.md E.1).
func (e *exchange) filterOf(st *storeExchange) *syncml.Filter {
	if st.filter == nil || st.unfiltered != nil {
		return nil
	}
	out := &syncml.Filter{Meta: syncml.Meta{Type: st.Kind().ContentType(), EMI: []string{st.filter.EMI()}}}
	expression, err := e.expression(st)
	if expression == "" && !e.inLogical() && e.req.Purpose != Open && e.req.Purpose != Preview {
		st.unfiltered = err
		return nil
	}
	if st.filter.LUID != "" {
		out.Type = "INCLUSIVE"
	}
	out.Record = &syncml.Item{Meta: syncml.Meta{Type: wire.FilterCGI}, Data: &syncml.Data{Bytes: []byte(expression)}}
	return out
}

// expression is the filter in the standard's grammar; "" if that cannot say it.
func (e *exchange) expression(st *storeExchange) (string, error) {
	if st.filter.LUID != "" {
		return "&LUID;&EQ;" + st.filter.LUID, nil
	}
	f, err := filter.Parse(st.filter.Text)
	if err != nil {
		return "", err
	}
	return f.ToCGI(st.Kind(), e.now())
}

// errNoFilters is a server's that never announced that it can filter.
var errNoFilters = errors.New("the server cannot filter")

// takeFilter notes what the server says of the filter that was sent.
func (st *storeExchange) takeFilter(code ds.Status) {
	switch {
	case st.filter == nil:
	case code == ds.StatusUnsupported:
		st.unfiltered = errNoFilters
	case code == ds.StatusMediaType, code == ds.StatusBadFilter:
		st.unfiltered = fmt.Errorf("the server did not understand the filter: %w", code)
	}
}

// errUnfiltered ends an attempt whose filter the server refused, and with it the datastore.
var errUnfiltered = errors.New("the server does not take the filter")

// refusedFilter tells whether a datastore was refused for its filter.
func (e *exchange) refusedFilter() bool {
	return slices.ContainsFunc(e.stores, func(st *storeExchange) bool { return st.failed && st.filter != nil && st.unfiltered != nil })
}

// dropFilters leaves out the filters that the server refused: rather all of it than nothing (protocol.md J: servers that fail with them).
func (r *run) dropFilters(report *Report) {
	r.refused = map[string]error{}
	r.req.Stores = slices.Clone(r.req.Stores)
	for i, s := range report.Stores {
		if s.Refused != nil {
			r.refused[s.Name] = s.Refused
			r.req.Stores[i].Filter = nil
		}
	}
}

// complete notes which filters were refused.
func (r *run) complete(report *Report) {
	for i := range report.Stores {
		if err := r.refused[report.Stores[i].Name]; err != nil {
			report.Stores[i].Refused = err
		}
	}
}
