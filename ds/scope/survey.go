package scope

import (
	"errors"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// Survey finds out which of many devices have something to fetch, in one transaction and for one time, and says of each what Due says (F8). What the
// former filter of a device and the new one differ about it finds in columns, and it looks at those items only. What it has found holds for all
// devices of a user: ask for them one after the other. Filters that look at the text, at properties, for a trip or at another part of messages it
// judges item by item. What a device wrote itself although its filter leaves it out may stay there, and is no difference. It serves one goroutine.
type Survey struct {
	tx    dsstore.Tx
	now   time.Time
	user  string
	found map[question][]difference // of one user
}

// question is two filters over a collection.
type question struct {
	dsstore.Collection
	former, wanted string
	at             time.Time
}

// difference is what the filters of a question differ about in a block of items.
type difference struct {
	items []bool
	revs  []byte // of the column of that name: of many items, few are looked at until one tells
}

// NewSurvey makes a Survey that must not be used after the transaction.
func NewSurvey(tx dsstore.Tx, now time.Time) *Survey {
	return &Survey{tx: tx, now: now}
}

// Due tells whether a device has something to fetch from a collection, as the function Due. Filtered is its scope if it is not only changes, else nil.
func (v *Survey) Due(device string, c dsstore.Collection, k pim.Kind, l dsstore.Link) (due bool, filtered *Scope, err error) {
	s, due, stale, err := pending(v.tx, device, c, k, l, v.now)
	if due || !stale || err != nil {
		return due, nil, err
	}
	err = errNoColumns
	if former, at, ok := formerly(l, v.now); ok && s.comparable(&former) {
		due, err = v.differs(device, c, &s, &former, at)
	}
	if errors.Is(err, errNoColumns) {
		due, err = s.any(v.tx, v.tx.Scope, device, c, 0, v.now)
	}
	if due {
		filtered = &s
	}
	return due, filtered, err
}

// errNoColumns: it is to be looked at item by item.
var errNoColumns = errors.New("columns do not tell")

// formerly is the filter under which a device got what it has, and a time at which that was so; not ok if it was more than a filter.
func formerly(l dsstore.Link, now time.Time) (f filter.Filter, at time.Time, ok bool) {
	f, err := filter.Parse(l.Scope)
	if err != nil || f.String() != l.Scope {
		return f, now, false
	}
	if !l.Roll.IsZero() && !now.Before(l.Roll) {
		return f, l.Roll.Add(-time.Second), true // until then time has changed nothing
	}
	return f, now, true
}

// comparable tells whether the facts are enough to tell what differs between the filters. How much of a message a device has they do not tell.
func (s *Scope) comparable(former *filter.Filter) bool {
	whole := filter.Policy{}
	return s.Travel == nil && !s.Filter.NeedsBody() && !former.NeedsBody() && (former.Policy() == whole || former.Policy() == s.Filter.Policy())
}

// differs tells whether a device has anything to fetch of what the filters differ about.
func (v *Survey) differs(device string, c dsstore.Collection, s *Scope, former *filter.Filter, at time.Time) (bool, error) {
	found, err := v.remembered(c, s, former, at)
	for i := range found {
		if due, err := v.look(device, c, s, &found[i]); due || err != nil {
			return due, err
		}
	}
	return false, err
}

func (v *Survey) look(device string, c dsstore.Collection, s *Scope, d *difference) (due bool, err error) {
	next := int64(0)
	for rev, ok := range unpackRevs(d.revs, d.items) {
		if !ok {
			return false, errNoColumns
		}
		if rev < next {
			continue // it has changed since it was packed, and has another revision
		}
		list, err := v.tx.Scope(device, c, rev-1, 1)
		if err != nil || len(list) == 0 {
			return false, err
		}
		if next = list[0].Item.Rev; next > rev {
			continue
		}
		look, err := s.Look(v.tx, c, &list[0], false)
		if err != nil || s.Judge(&list[0], look, v.now) != Nothing {
			return err == nil, err
		}
	}
	return false, nil
}

// manyQuestions bounds what is remembered: devices of one user rarely have more filters.
const manyQuestions = 16

// remembered is differences, found once for all devices of a user.
func (v *Survey) remembered(c dsstore.Collection, s *Scope, former *filter.Filter, at time.Time) ([]difference, error) {
	if v.user != c.User || len(v.found) >= manyQuestions {
		v.user, v.found = c.User, make(map[question][]difference)
	}
	q := question{c, former.String(), s.Filter.String(), at}
	if found, ok := v.found[q]; ok {
		return found, nil
	}
	found, err := v.differences(c, s, former, at)
	if err == nil {
		v.found[q] = found
	}
	return found, err
}

// differences lists the items about which the scope says something else now than the former filter then. Some may have changed since.
func (v *Survey) differences(c dsstore.Collection, s *Scope, former *filter.Filter, at time.Time) (out []difference, err error) {
	all, err := v.tx.Blocks(c)
	if err != nil {
		return nil, err
	}
	blocks, upto := usable(all)
	for i := range blocks {
		d, err := v.stored(c, &blocks[i], s, former, at)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	for end := false; !end; {
		r, err := pack(v.tx, c, s.Kind, upto, blockItems)
		if err != nil {
			return nil, err
		}
		differ, err := v.compare(r.columns, s, former, at)
		if err != nil {
			return nil, err
		}
		out = append(out, difference{differ, []byte(packRevs(r.revs))})
		upto, end = r.Upto, r.end
	}
	return out, nil
}

// stored is what differs in a block. Of its columns it reads only those that the filters look at.
func (v *Survey) stored(c dsstore.Collection, b *dsstore.Block, s *Scope, former *filter.Filter, at time.Time) (out difference, err error) {
	columns := &filter.Columns{Kind: s.Kind, Items: b.Items, Data: make(map[string]string)}
	for _, name := range append(former.Columns(s.Kind), s.Filter.Columns(s.Kind)...) {
		if columns.Data[name] == "" {
			if columns.Data[name], err = v.column(c, b, name); err != nil {
				return out, err
			}
		}
	}
	out.items, err = v.compare(columns, s, former, at)
	if err != nil || !slices.Contains(out.items, true) {
		return difference{}, err
	}
	revs, err := v.column(c, b, revColumn)
	out.revs = []byte(revs)
	return out, err
}

func (v *Survey) column(c dsstore.Collection, b *dsstore.Block, name string) (string, error) {
	data, err := v.tx.Column(c, b.Upto, name)
	if errors.Is(err, dsstore.ErrNotFound) {
		err = errNoColumns
	}
	return data, err
}

// compare tells of each item whether the filters differ about it.
func (v *Survey) compare(c *filter.Columns, s *Scope, former *filter.Filter, at time.Time) ([]bool, error) {
	out, err := c.Differ(former, at, &s.Filter, v.now)
	if err != nil {
		return nil, errNoColumns
	}
	return out, nil
}
