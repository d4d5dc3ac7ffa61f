package dsclient

import (
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// takeSync collects the server's changes of one datastore; they are applied together when the message was read.
func (e *exchange) takeSync(m *syncml.Message, c *syncml.Sync) {
	st := e.byURI(c.Target.URI, c.Source.URI)
	code := ds.StatusOK
	if st == nil {
		code = ds.StatusNotFound
	} else if !st.alert.FromServer() && len(c.Commands) > 0 {
		code = ds.StatusForbidden
	}
	status := e.answer(m, c, code)
	status.TargetRefs, status.SourceRefs = []string{c.Target.URI}, []string{c.Source.URI}
	for _, inner := range c.Commands {
		ch, ok := inner.(*syncml.Change)
		switch {
		case code != ds.StatusOK:
			e.answer(m, inner, code)
		case !ok:
			e.answer(m, inner, ds.StatusUnsupported)
		default:
			for i := range ch.Items {
				e.takeItem(m, st, ch, &ch.Items[i])
			}
		}
	}
	if c.NumberOfChanges > 0 && st != nil {
		st.total = max(st.total, c.NumberOfChanges)
	}
}

// takeItem queues one change with its Status, which apply completes.
func (e *exchange) takeItem(m *syncml.Message, st *storeExchange, c *syncml.Change, it *syncml.Item) {
	status := e.answer(m, c, ds.StatusOK)
	if uri := wire.URI(it.Target); uri != "" {
		status.TargetRefs = []string{uri}
	}
	if uri := wire.URI(it.Source); uri != "" {
		status.SourceRefs = []string{uri}
	}
	change, code := e.change(st, c, it)
	if code != ds.StatusOK {
		status.Code = code
		return
	}
	st.incoming = append(st.incoming, change)
	st.answers = append(st.answers, status)
}

// change reads one item; a code other than 200 is its answer.
func (e *exchange) change(st *storeExchange, c *syncml.Change, it *syncml.Item) (Change, ds.Status) {
	ch := Change{LUID: wire.URI(it.Target), GUID: wire.URI(it.Source)}
	meta := wire.Meta(c, it)
	switch {
	case c.Op == syncml.OpDelete:
		ch.Op, ch.Soft = Delete, c.SftDel
		return ch, ds.StatusOK
	case c.Op == syncml.OpAdd:
		ch.Op = Add
	case c.Op == syncml.OpReplace && meta.FieldLevel && it.Data == nil:
		ch.Op, ch.Base = Reflag, meta.Version
	case c.Op == syncml.OpReplace:
		ch.Op = Replace
	default:
		return ch, ds.StatusNotImplemented
	}
	if ch.Op == Add && ch.GUID == "" || ch.Op != Add && ch.LUID == "" {
		return ch, ds.StatusIncomplete
	}
	return e.withBody(st, ch, meta, it)
}

func (e *exchange) withBody(st *storeExchange, ch Change, meta syncml.Meta, it *syncml.Item) (Change, ds.Status) {
	data, code := e.assemble(st, ch, &meta, it)
	if code != ds.StatusOK {
		return ch, code
	}
	if meta.Type == "" {
		meta.Type = st.Kind().ContentType()
	}
	item, err := wire.Item(meta, data)
	if err != nil {
		return ch, ds.StatusBadRequest
	}
	ch.Item = item
	f := e.form(st)
	f.Take(&ch.Item)
	if f != nil && ch.Op == Replace {
		ch.Keep = func(here pim.Item) []byte { return f.Restore(here, ch.Item) }
	}
	return ch, ds.StatusOK
}

// assemble puts chunks together (protocol.md C.8). 200 means that data is complete.
func (e *exchange) assemble(st *storeExchange, ch Change, meta *syncml.Meta, it *syncml.Item) ([]byte, ds.Status) {
	var data []byte
	if it.Data != nil {
		data = it.Data.Bytes
	}
	if e.in != nil && (e.in.st != st || e.in.change.LUID != ch.LUID || e.in.change.GUID != ch.GUID) {
		e.in = nil // never finished; the server sends it again as its Status never came
	}
	if pos := wire.DataPos(meta); e.in != nil && pos >= 0 && pos <= len(e.in.data) {
		e.in.data = e.in.data[:pos] // after a resume the server goes on where it knows that we were
	}
	if e.in == nil {
		switch {
		case wire.DataPos(meta) > 0:
			return nil, ds.StatusSizeMismatch // the part before it is gone
		case !it.MoreData:
			return data, ds.StatusOK
		case meta.Size <= 0:
			return nil, ds.StatusSizeRequired
		case meta.Size > pim.MaxItemSize:
			return nil, ds.StatusObjectTooLarge
		}
		e.in = &inObject{st: st, change: ch, meta: *meta}
		st.partial(e.aware)
	}
	return e.chunk(data, meta, it.MoreData)
}

func (e *exchange) chunk(data []byte, meta *syncml.Meta, more bool) ([]byte, ds.Status) {
	in := e.in
	in.data = append(in.data, data...)
	switch {
	case int64(len(in.data)) > in.meta.Size:
		e.in = nil
		return nil, ds.StatusSizeMismatch
	case more:
		return nil, ds.StatusChunk
	}
	e.in = nil
	if int64(len(in.data)) != in.meta.Size {
		return nil, ds.StatusSizeMismatch
	}
	*meta = in.meta
	return in.data, ds.StatusOK
}
