package state

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/pim"
)

// Items is the index of one local store.
type Items struct {
	db     kv.Store
	prefix string

	mu     sync.Mutex
	counts Counts    // guarded by mu
	since  time.Time // guarded by mu; since when something is pending
	// deleted are LUIDs of what is deleted on one side only; guarded by mu
	deleted map[string]bool
}

// Counts are how many items a store has, how many changes the server has not got, how many items cannot be synchronized, and how many are
// deleted on one side only.
type Counts struct{ Items, Pending, Problems, Deletions int }

func (c Counts) plus(d Counts, sign int) Counts {
	return Counts{c.Items + sign*d.Items, c.Pending + sign*d.Pending, c.Problems + sign*d.Problems, c.Deletions + sign*d.Deletions}
}

// countsOf is what one row adds.
func countsOf(r Row) (c Counts) {
	if r.LUID == "" {
		return c
	}
	if !r.Gone && r.Type != pim.TypeFolder {
		c.Items = 1
	}
	if r.oneSided() {
		c.Deletions = 1
	}
	if r.Problem != "" {
		c.Problems = 1
	} else if r.Dirty() {
		c.Pending = 1
	}
	return c
}

// OpenItems is the index of the store of that name.
func OpenItems(db kv.Store, store string) (*Items, error) {
	x := &Items{db: db, prefix: "items/" + store + "/", deleted: make(map[string]bool)}
	err := x.View(func(t *Tx) error {
		return t.All(func(r Row) error {
			x.counts = x.counts.plus(countsOf(r), 1)
			if r.oneSided() {
				x.deleted[r.LUID] = true
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read the state of %s: %w", store, err)
	}
	return x, x.loadSince()
}

// loadSince reads how long the server has been behind. A value that cannot be read is as good as none.
func (x *Items) loadSince() error {
	return x.View(func(t *Tx) error {
		v, ok, err := t.get(waiting, "")
		if ok {
			x.since, _ = time.Parse(time.RFC3339, v)
		}
		return err
	})
}

// Since is when the oldest change came that the server has not got, the zero time if there is none (G5, G6). It may be called at any time.
func (x *Items) Since() time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.counts.Pending == 0 {
		return time.Time{}
	}
	return x.since
}

// Counts may be called at any time.
func (x *Items) Counts() Counts {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.counts
}

// Deleted are the rows of what is deleted on one side only, in the order of All. Looking at all rows for them would take most of the time of an exchange
// as long as a deletion waits.
func (x *Items) Deleted() (rows []Row, err error) {
	x.mu.Lock()
	luids := slices.Sorted(maps.Keys(x.deleted))
	x.mu.Unlock()
	err = x.View(func(t *Tx) error {
		for _, luid := range luids {
			r, ok, err := t.Row(luid)
			if err != nil {
				return err
			}
			if ok && r.oneSided() {
				rows = append(rows, r)
			}
		}
		return nil
	})
	return rows, err
}

// noteDeleted is called with mu.
func (x *Items) noteDeleted(written map[string]bool) {
	for luid, is := range written {
		if is {
			x.deleted[luid] = true
		} else {
			delete(x.deleted, luid)
		}
	}
}

// Kinds of keys below the prefix.
const (
	byLUID  = "r/" // LUID → row
	byKey   = "k/" // key → LUID
	dirty   = "d/" // LUIDs the server must be told of
	mapped  = "m/" // GUID → LUID, until the server has confirmed the Map
	intents = "i/" // GUID → Intent, while it is carried out
	anchors = "a"
	waiting = "w" // since when the store has pending changes
)

// Intent is an item from the server that is about to be written. It is durable before the file is, so that a crash between the
// two leaves no file that nobody knows, and none that is taken for a user's edit.
type Intent struct {
	GUID string // of a new item, "" for a change of one that has a row
	Row  Row    // as it will be
}

// id names an intent: there is one for an item.
func (i Intent) id() string {
	if i.GUID == "" {
		return changeMark + i.Row.LUID
	}
	return i.GUID
}

// changeMark begins the id of an intent for a change. No GUID of a server does.
const changeMark = "\x00"

// Tx reads and writes the index within one transaction. Writes are errors in a View.
type Tx struct {
	prefix string
	r      kv.Reader
	w      *kv.Meter
	delta  Counts // of what was written
	// deleted is what was written, by LUID: whether it is deleted on one side only.
	deleted map[string]bool
}

// View reads.
func (x *Items) View(fn func(*Tx) error) error {
	return x.db.View(func(r kv.Reader) error { return fn(&Tx{prefix: x.prefix, r: r}) })
}

// Update writes, durably and all or nothing. What it writes must be bounded; see InPieces.
func (x *Items) Update(fn func(*Tx) error) error {
	former := x.Counts().Pending
	now := time.Now().UTC().Truncate(time.Second)
	var t *Tx
	err := x.db.Update(func(w kv.Writer) error {
		t = &Tx{prefix: x.prefix, r: w, w: &kv.Meter{Writer: w}, deleted: make(map[string]bool)}
		err := fn(t)
		if former == 0 && t.delta.Pending > 0 {
			err = errors.Join(err, w.Set(x.prefix+waiting, []byte(now.Format(time.RFC3339))))
		}
		return err
	})
	if err == nil {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.counts = x.counts.plus(t.delta, 1)
		x.noteDeleted(t.deleted)
		if former == 0 && t.delta.Pending > 0 {
			x.since = now
		}
	}
	return err
}

// InPieces calls fn for each number below n, which may put a row with its Map and intent, with as many calls in one Update as it takes.
func (x *Items) InPieces(n int, fn func(t *Tx, i int) error) error {
	for i := 0; i < n; {
		from := i
		err := x.Update(func(t *Tx) (err error) {
			i, err = t.w.Fill(from, n, func(i int) error { return fn(t, i) })
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) get(kind, id string) (string, bool, error) {
	v, err := t.r.Get(t.prefix + kind + id)
	if errors.Is(err, kv.ErrNotFound) {
		return "", false, nil
	}
	return string(v), err == nil, err
}

// Row finds a row by LUID.
func (t *Tx) Row(luid string) (Row, bool, error) {
	v, ok, err := t.get(byLUID, luid)
	if err != nil || !ok {
		return Row{}, false, err
	}
	r, err := decodeRow([]byte(v))
	return r, err == nil, err
}

// ByKey finds a row by the key of its item in the store.
func (t *Tx) ByKey(key string) (Row, bool, error) {
	luid, ok, err := t.get(byKey, key)
	if err != nil || !ok {
		return Row{}, false, err
	}
	return t.Row(luid)
}

// Put writes a row; former is what it was, the zero Row for a new one. What stays the same is not written again.
func (t *Tx) Put(former, r Row) error {
	t.count(former, r)
	var errs []error
	if former.Key != "" && (former.Key != r.Key || r.Gone) {
		errs = append(errs, t.unkey(former))
	}
	if !r.Gone && (former.Key != r.Key || former.Gone) {
		errs = append(errs, t.w.Set(t.prefix+byKey+r.Key, []byte(r.LUID)))
	}
	errs = append(errs, t.w.Set(t.prefix+byLUID+r.LUID, r.encode()))
	if r.marked() != former.marked() || r.Gone != former.Gone {
		errs = append(errs, t.mark(&r))
	}
	return errors.Join(errs...)
}

// count notes what a row adds to the counts, and whether it is among Deleted.
func (t *Tx) count(former, r Row) {
	t.delta = t.delta.plus(countsOf(former), -1).plus(countsOf(r), 1)
	if former.oneSided() || r.oneSided() {
		t.deleted[cmp.Or(r.LUID, former.LUID)] = r.oneSided()
	}
}

// unkey frees a key, unless another item has it by now.
func (t *Tx) unkey(r Row) error {
	luid, ok, err := t.get(byKey, r.Key)
	if err != nil || !ok || luid != r.LUID {
		return err
	}
	return t.w.Delete(t.prefix + byKey + r.Key)
}

func (t *Tx) mark(r *Row) error {
	if r.marked() {
		return t.w.Set(t.prefix+dirty+r.LUID, []byte{flag(r.Gone)})
	}
	return t.w.Delete(t.prefix + dirty + r.LUID)
}

// Remove forgets a row.
func (t *Tx) Remove(r Row) error {
	t.count(r, Row{})
	return errors.Join(t.unkey(r), t.w.Delete(t.prefix+byLUID+r.LUID), t.w.Delete(t.prefix+dirty+r.LUID))
}

// All calls fn for each row.
func (t *Tx) All(fn func(Row) error) error {
	return t.r.Scan(t.prefix+byLUID, func(_ string, v []byte) error {
		r, err := decodeRow(v)
		if err != nil {
			return err
		}
		return fn(r)
	})
}

// LUIDs lists the items the server must be told of, or all. What was deleted comes first: a file that got another name is one that was deleted and
// one that is new, and the server knows the new one by what it has just lost (found by simulation).
func (t *Tx) LUIDs(all bool) ([]string, error) {
	kind := dirty
	if all {
		kind = byLUID
	}
	var gone, out []string
	err := t.r.Scan(t.prefix+kind, func(k string, v []byte) error {
		luid := strings.TrimPrefix(k, t.prefix+kind)
		if listsGone(kind, v) {
			gone = append(gone, luid)
		} else {
			out = append(out, luid)
		}
		return nil
	})
	return append(gone, out...), err
}

// listsGone tells from what is stored under a kind of key whether the item was deleted here.
func listsGone(kind string, v []byte) bool {
	if kind == dirty {
		return len(v) == 1 && v[0] == 1
	}
	return len(v) > 1 && v[1]&goneFlag != 0
}

// Map finds the LUID under which an item of the server was stored while its Map is not confirmed.
func (t *Tx) Map(guid string) (luid string, ok bool, err error) { return t.get(mapped, guid) }

// PutMap notes an unconfirmed Map, DeleteMap that it was confirmed.
func (t *Tx) PutMap(guid, luid string) error { return t.w.Set(t.prefix+mapped+guid, []byte(luid)) }

// DeleteMap is described at PutMap.
func (t *Tx) DeleteMap(guid string) error { return t.w.Delete(t.prefix + mapped + guid) }

// Maps lists the unconfirmed ones.
func (t *Tx) Maps() ([]dsclient.MapEntry, error) {
	var out []dsclient.MapEntry
	err := t.r.Scan(t.prefix+mapped, func(k string, v []byte) error {
		out = append(out, dsclient.MapEntry{GUID: strings.TrimPrefix(k, t.prefix+mapped), LUID: string(v)})
		return nil
	})
	return out, err
}

// PutIntent notes an Intent, DeleteIntent that it was carried out or given up.
func (t *Tx) PutIntent(i Intent) error { return t.w.Set(t.prefix+intents+i.id(), i.Row.encode()) }

// DeleteIntent is described at PutIntent.
func (t *Tx) DeleteIntent(i Intent) error { return t.w.Delete(t.prefix + intents + i.id()) }

// Intents lists those that were not carried out.
func (t *Tx) Intents() ([]Intent, error) {
	var out []Intent
	err := t.r.Scan(t.prefix+intents, func(k string, v []byte) error {
		r, err := decodeRow(v)
		i := Intent{GUID: strings.TrimPrefix(k, t.prefix+intents), Row: r}
		if strings.HasPrefix(i.GUID, changeMark) {
			i.GUID = ""
		}
		out = append(out, i)
		return err
	})
	return out, err
}

// Anchors is what is remembered of the anchors; the zero value before the first sync.
func (t *Tx) Anchors() (dsclient.AnchorState, error) {
	var a dsclient.AnchorState
	v, ok, err := t.get(anchors, "")
	if err != nil || !ok {
		return a, err
	}
	if err := json.Unmarshal([]byte(v), &a); err != nil {
		return a, fmt.Errorf("the anchors in the state are damaged: %w", err)
	}
	return a, nil
}

// PutAnchors replaces them.
func (t *Tx) PutAnchors(a dsclient.AnchorState) error {
	v, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return t.w.Set(t.prefix+anchors, v)
}
