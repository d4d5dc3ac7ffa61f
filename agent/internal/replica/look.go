// Package replica is one local store as the sync engine sees it: items with lasting ids, what changed since the server last
// knew, and changes from the server carried out so that a crash at any moment loses and doubles nothing.
package replica

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"

	"github.com/alwayson-sync/alwayson/agent/internal/history"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/match"
)

// Replica implements dsclient.Datastore for a pim.Store. It is used from one goroutine at a time, but for Counts and Waiting.
type Replica struct {
	name   string
	remote string
	store  pim.Store
	index  *state.Items

	brake   reconcile.Brake
	history Keeper // nil keeps no former versions
	dir     string
	reserve int64
	leaves  func(pim.Item) bool
	alive   func()
	edited  map[string]string       // LUIDs by GUID of new items that were edited before they could be recorded
	lost    map[string]state.Intent // by GUID: new items that are not where they were put, if they ever were; see seek

	meanwhile int  // changes that exchanges have found by themselves; see Meanwhile
	blind     bool // the next look goes everywhere: the last one failed, and what it was told of is forgotten; or see displace

	mu       sync.Mutex
	unlisted []*pim.ItemError // of the last full look: what is there but cannot even be listed; guarded by mu
	held     Hold             // guarded by mu
}

// Keeper keeps former versions, as a history.Book does: durably, and before what replaces them is written.
type Keeper interface {
	Keep(list []history.Former) error
	Room() (int64, error) // octets of items that only leave this device
	// PutBack notes as which item a version is put back, before it is written.
	PutBack(id, luid string) error
}

// Safety is what keeps a Replica from losing something for good.
type Safety struct {
	Brake   reconcile.Brake
	History Keeper
	// Reserve is how many octets of the file system of Dir are left to others; 0 is none.
	Dir     string
	Reserve int64
	// Leaves tells whether the filter that was wished on this device leaves an item out, so that it may go without a copy; nil is none.
	Leaves func(pim.Item) bool
	// Alive is called for each item of a look, which may take long. May be nil.
	Alive func()
}

// DefaultReserve is what the agent leaves to others of each file system, in octets.
const DefaultReserve = 64 << 20

// Open joins a store and its index, and finishes what a crash interrupted.
func Open(ctx context.Context, name, remote string, store pim.Store, index *state.Items) (*Replica, error) {
	return OpenSafe(ctx, name, remote, store, index, Safety{})
}

// OpenSafe is Open with a brake and a history.
func OpenSafe(ctx context.Context, name, remote string, store pim.Store, index *state.Items, s Safety) (*Replica, error) {
	r := &Replica{name: name, remote: remote, store: store, index: index, brake: s.Brake, history: s.History, dir: s.Dir, reserve: s.Reserve, leaves: s.Leaves, alive: s.Alive,
		edited: make(map[string]string), lost: make(map[string]state.Intent)}
	if r.alive == nil {
		r.alive = func() {}
	}
	if err := r.recover(ctx); err != nil && !errors.Is(err, pim.ErrUnavailable) {
		return nil, fmt.Errorf("cannot open %s: %w", name, err)
	}
	_, err := r.weigh()
	return r, err
}

// SetBrake changes when deletions are held.
func (r *Replica) SetBrake(b reconcile.Brake) { r.brake = b }

// EmptiedError says that a store that had items lists none at all. Nothing is deleted for it (pains.md 7).
type EmptiedError struct {
	Store string
	Items int
}

func (e *EmptiedError) Error() string {
	return fmt.Sprintf("%s is empty although it had %d items; nothing was deleted on the server", e.Store, e.Items)
}

// emptied is how many items a store must have had for an empty listing to be suspicious.
const emptied = 5

// found is what a look at the store brought, compared with the index.
type found struct {
	changed []pair // known items that look different
	fresh   []pim.Entry
	missing []state.Row
	errs    []*pim.ItemError
}

type pair struct {
	row   state.Row
	entry pim.Entry
}

// Look compares the store with the index and records what changed, durably. hint.Keys narrows it down. It returns how many
// items changed. An error means that the store could not be read to its end; what was recorded by then is true by itself.
func (r *Replica) Look(ctx context.Context, hint pim.Hint) (changed int, err error) {
	if r.blind { // else a file that is moved once more after a look that failed seems a new one (found by simulation)
		hint = pim.Hint{}
	}
	changed, err = r.look(ctx, hint)
	var empty *EmptiedError
	r.blind = err != nil && !errors.As(err, &empty)
	return changed, err
}

// lookMeanwhile looks at everything in an exchange.
func (r *Replica) lookMeanwhile(ctx context.Context) error {
	changed, err := r.Look(ctx, pim.Hint{})
	r.meanwhile += changed
	return err
}

// Meanwhile tells, once, whether an exchange has found changes that the server has not got: no look that comes after it finds them again.
func (r *Replica) Meanwhile() bool {
	found := r.meanwhile > 0 && r.index.Counts().Pending > 0
	r.meanwhile = 0
	return found
}

func (r *Replica) look(ctx context.Context, hint pim.Hint) (changed int, err error) {
	if err := r.recover(ctx); err != nil {
		return 0, err
	}
	if len(r.lost) > 0 {
		hint = pim.Hint{}
	}
	f, err := r.compare(ctx, hint)
	if err != nil {
		return 0, err
	}
	changed, err = r.recordWhile(func(yield func(update)) error { return r.judge(ctx, f, yield) })
	if err == nil && hint.Keys == nil {
		r.mu.Lock()
		r.unlisted = f.errs
		r.mu.Unlock()
	}
	if err != nil {
		return changed, err
	}
	return changed, r.claim()
}

func (r *Replica) compare(ctx context.Context, hint pim.Hint) (*found, error) {
	f := &found{}
	err := r.index.View(func(t *state.Tx) error {
		if hint.Keys == nil {
			return r.compareAll(ctx, t, f)
		}
		return r.compareHinted(ctx, t, hint.Keys, f)
	})
	return f, err
}

// compareHinted looks at single items, and everywhere if one of them is gone: watchers miss things, and it may only have been moved (found by
// simulation).
func (r *Replica) compareHinted(ctx context.Context, t *state.Tx, keys []string, f *found) error {
	if err := r.compareKeys(ctx, t, keys, f); err != nil || !f.vanished() {
		return err
	}
	all := &found{}
	err := r.compareAll(ctx, t, all)
	var empty *EmptiedError
	if errors.As(err, &empty) {
		return nil // somebody was seen to delete it all
	}
	*f = *all
	return err
}

// vanished tells whether an item is gone from its place and was not seen at another one.
func (f *found) vanished() bool {
	if len(f.missing) == 0 {
		return false
	}
	m := newMissing(f.missing)
	for _, e := range f.fresh {
		m.take(m.byInode(e))
	}
	return len(m.rows) > 0
}

// compareKeys looks at single items.
func (r *Replica) compareKeys(ctx context.Context, t *state.Tx, keys []string, f *found) error {
	list, err := r.store.Stat(ctx, keys)
	if err != nil {
		return err
	}
	seen := make(map[string]bool)
	for _, e := range list {
		seen[e.Key] = true
		row, ok, err := t.ByKey(e.Key)
		if err != nil {
			return err
		}
		f.take(e, row, ok)
	}
	for _, key := range keys {
		row, ok, err := t.ByKey(key)
		if err != nil {
			return err
		}
		if ok && !seen[key] {
			f.missing = append(f.missing, row)
		}
	}
	return nil
}

func (f *found) take(e pim.Entry, row state.Row, known bool) {
	switch {
	case !known:
		f.fresh = append(f.fresh, e)
	case row.Stamp != e.Stamp || row.Flags != e.Flags || row.Folder != e.Folder:
		f.changed = append(f.changed, pair{row, e})
	}
}

// brief is what a look at everything needs of each item. To look them up one by one would take most of the time of a quiet exchange.
type brief struct {
	luid   string
	stamp  pim.Stamp
	flags  pim.Flags
	folder string
}

// compareAll looks at everything.
func (r *Replica) compareAll(ctx context.Context, t *state.Tx, f *found) error {
	known, displaced, err := briefs(t)
	if err != nil {
		return err
	}
	had, listed := len(known), 0
	err = r.store.Scan(ctx, func(e pim.Entry, err error) error {
		listed++
		r.alive()
		var bad *pim.ItemError
		if errors.As(err, &bad) {
			delete(known, e.Key) // it is there, so it was not deleted
			f.errs = append(f.errs, bad)
			return nil
		}
		if err != nil {
			return err
		}
		return f.takeBrief(t, e, known)
	})
	if err != nil {
		return err
	}
	if listed == 0 && had >= emptied {
		return &EmptiedError{Store: r.name, Items: had}
	}
	for _, b := range known {
		displaced = append(displaced, b.luid)
	}
	slices.Sort(displaced) // of several that look alike it is always the same that has moved
	for _, luid := range displaced {
		row, ok, err := t.Row(luid)
		if err != nil {
			return err
		}
		if ok {
			f.missing = append(f.missing, row)
		}
	}
	return nil
}

func (f *found) takeBrief(t *state.Tx, e pim.Entry, known map[string]brief) error {
	b, ok := known[e.Key]
	delete(known, e.Key)
	if ok && b.stamp == e.Stamp && b.flags == e.Flags && b.folder == e.Folder {
		return nil
	}
	row, ok, err := t.Row(b.luid)
	if err == nil {
		f.take(e, row, ok)
	}
	return err
}

// briefs are the items by key. Displaced are those whose place another one has taken: of a file that was moved over the name of another, a crash
// may leave one half recorded.
func briefs(t *state.Tx) (known map[string]brief, displaced []string, err error) {
	known = make(map[string]brief)
	err = t.All(func(row state.Row) error {
		if row.Gone {
			return nil
		}
		former, taken := known[row.Key]
		if !taken {
			known[row.Key] = briefOf(row)
			return nil
		}
		owner, _, err := t.ByKey(row.Key)
		if owner.LUID == row.LUID {
			known[row.Key], displaced = briefOf(row), append(displaced, former.luid)
		} else {
			displaced = append(displaced, row.LUID)
		}
		return err
	})
	return known, displaced, err
}

func briefOf(row state.Row) brief { return brief{row.LUID, row.Stamp, row.Flags, row.Folder} }

// update is a row before and after.
type update struct {
	former, row state.Row
	remove      bool
}

// untangle takes files that were moved to where other items were for what they are, and not for edits of those; nor is a new file an edit of the
// one that was moved away from there (found by simulation).
func (f *found) untangle() {
	rows := slices.Clone(f.missing)
	for _, p := range f.changed {
		rows = append(rows, p.row)
	}
	known := newMissing(rows)
	moved := make(map[string]bool)
	for _, e := range f.fresh {
		moved[known.byInode(e).LUID] = true
	}
	f.changed = slices.DeleteFunc(f.changed, func(p pair) bool {
		former := known.byInode(p.entry)
		if former.LUID == p.row.LUID || former.LUID == "" && !moved[p.row.LUID] {
			return false
		}
		f.missing, f.fresh = append(f.missing, p.row), append(f.fresh, p.entry)
		return true
	})
}

// judge finds out what became of each item: edited, moved, new, gone.
func (r *Replica) judge(ctx context.Context, f *found, yield func(update)) error {
	reader, err := r.reader(len(f.changed) + len(f.fresh))
	if err != nil {
		return err
	}
	defer reader.Close()
	f.untangle()
	for _, p := range f.changed {
		r.alive()
		row, ok, err := read(ctx, reader, p.row, p.entry)
		if err != nil {
			return err
		}
		switch {
		case !ok:
		case row.UID != p.row.UID && row.UID != 0 && p.row.UID != 0, mayHaveLeft(p.row) && row.Hash != p.row.Hash: // another one has taken its place
			f.missing, f.fresh = append(f.missing, p.row), append(f.fresh, p.entry)
		default:
			if row.Doomed && row.Hash != p.row.Hash {
				row = undoom(row)
			}
			yield(update{former: p.row, row: seen(row)})
		}
	}
	var deleted *missing
	missing := newMissing(f.missing)
	if len(f.fresh) > 0 {
		if deleted, err = r.untoldDeletions(); err != nil {
			return err
		}
	}
	for _, e := range f.fresh {
		r.alive()
		former := missing.byInode(e)
		row, ok, err := read(ctx, reader, former, e)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if former.LUID == "" {
			if former, err = missing.recognize(ctx, reader, e, row); err != nil {
				return err
			}
		}
		if former.LUID == "" {
			former = deleted.like(row)
		}
		row.LUID, row.Shared, row.Synced, row.Whole = former.LUID, former.Shared, former.Synced, former.Whole
		if former.Doomed && row.Hash == former.Hash { // else it would stay here for ever (found by simulation)
			row.Doomed, row.Approved, row.Held = true, former.Approved, former.Held
		}
		if former.Synced.Hash == state.UnknownHash && row.Hash == former.Hash && row.Stamp != former.Stamp { // with that stamp it was only moved
			row.Synced = former.Version // ours, written to where the server wants it before a crash, see doubt (found by simulation)
		}
		if former.LUID == "" {
			row.LUID = newLUID()
		}
		if row.Hash != former.Hash && former.Doomed && former.Approved {
			row.Synced.Hash = state.UnknownHash // see undoom
		}
		missing.take(former)
		deleted.take(former)
		yield(update{former: former, row: seen(row)})
	}
	left := missing.left()
	if err := r.seal(ctx, left); err != nil {
		return err
	}
	for _, row := range left {
		if row.Doomed {
			yield(update{former: row, remove: true}) // the server has deleted it, too
			continue
		}
		gone := row
		gone.Gone, gone.Problem = true, ""
		yield(update{former: row, row: gone}) // also one that was never confirmed: the server may have it all the same
	}
	return nil
}

// seen is for an item of which nobody knows what it was made from: as it is now, it was seen, and if it is deleted after that, it was that (found by
// simulation).
func seen(row state.Row) state.Row {
	row.Unsure = row.Unsure && (row.Synced.Hash != state.UnknownHash || row.Problem != "")
	return row
}

// mayHaveLeft tells whether a message was to leave this device only, and a crash hides whether it did: what lies in its place then may be another one, whose
// deletion would be told as that of the former. If it is an edit of that, the server knows it by its name (found by simulation).
func mayHaveLeft(row state.Row) bool {
	return row.Doomed && row.Approved && row.Type == pim.TypeMessage
}

// undoom is for an edit of an item that was to be deleted here: it wins over the server's deletion, and goes there as a new item. If the item was only to
// leave this device, perhaps it did, and this is another one, which has got its name (found by simulation).
func undoom(row state.Row) state.Row {
	if row.Approved {
		row.Synced.Hash = state.UnknownHash
	}
	row.Doomed, row.Approved = false, false
	return row
}

// seal makes durable that items are gone which the server has deleted, before they are forgotten: one that a power cut brought back after that would
// be a new one (found by simulation).
func (r *Replica) seal(ctx context.Context, gone []state.Row) error {
	gone = slices.DeleteFunc(slices.Clone(gone), func(row state.Row) bool { return !row.Doomed })
	if len(gone) == 0 {
		return nil
	}
	b, err := r.store.Update(ctx)
	if err != nil {
		return fmt.Errorf("cannot make deletions in %s durable: %w", r.name, err)
	}
	for _, row := range gone {
		b.Touched(row.Key)
	}
	if err := b.Commit(); err != nil {
		return fmt.Errorf("cannot make deletions in %s durable: %w", r.name, err)
	}
	return nil
}

// reader reads so many items.
func (r *Replica) reader(items int) (pim.Reader, error) {
	if o, ok := r.store.(pim.Opener); ok && items > 1 {
		return o.OpenReader()
	}
	return single{r.store}, nil
}

// single reads each item by itself.
type single struct{ pim.Store }

func (single) Close() error { return nil }

// read is row as its item looks now. An item that cannot be read keeps its row, with the problem; one that vanished meanwhile
// is not ok, the next look will see to it.
func read(ctx context.Context, from pim.Reader, row state.Row, e pim.Entry) (state.Row, bool, error) {
	doubted := row.Synced.Hash == state.UnknownHash // its hash may be that of what the server wants there, see doubt (found by simulation)
	same := row.Stamp == e.Stamp && row.Problem == "" && row.LUID != "" && !doubted
	row.Key, row.Type, row.Stamp, row.Flags, row.Folder, row.Problem = e.Key, e.Type, e.Stamp, e.Flags, e.Folder, ""
	if same {
		return row, true, nil // only flags or the folder: the bytes are those we know
	}
	item, at, err := from.Read(ctx, e.Key)
	var bad *pim.ItemError
	switch {
	case errors.Is(err, pim.ErrNotFound):
		return row, false, nil
	case errors.As(err, &bad):
		row.Problem = bad.Err.Error()
		return row, true, nil
	case err != nil:
		return row, false, err
	}
	row.Stamp, row.Flags = at.Stamp, at.Flags
	row.Hash, row.UID = sha256.Sum256(item.Body), uid(item)
	return row, true, nil
}

// batch is how many updates fit into one Update of the index.
const batch = 480

// recordWhile records updates while the next are found, if there are many: reading files and making rows durable wait for different things.
// It returns how many.
func (r *Replica) recordWhile(find func(yield func(update)) error) (n int, err error) {
	var rows []update
	var pieces chan []update // nil while one piece is enough
	var recorded sync.WaitGroup
	var failed error
	findErr := find(func(u update) {
		if len(rows) == batch {
			if pieces == nil {
				pieces = make(chan []update, 1)
				recorded.Go(func() { failed = r.recordAll(pieces) })
			}
			pieces <- rows
			n, rows = n+batch, nil
		}
		rows = append(rows, u)
	})
	if pieces != nil {
		close(pieces)
		recorded.Wait()
	}
	if err := errors.Join(findErr, failed); err != nil {
		return n, err
	}
	return n + len(rows), r.record(rows)
}

// recordAll takes all pieces and records those before the first that fails.
func (r *Replica) recordAll(pieces <-chan []update) (err error) {
	for rows := range pieces {
		if err == nil {
			err = r.record(rows)
		}
	}
	return err
}

// record writes rows, a limited number at a time. A crash in between is no harm: what it leaves is found by the next look at everything.
func (r *Replica) record(rows []update) error {
	if err := r.index.InPieces(len(rows), func(t *state.Tx, i int) error { return put(t, rows[i]) }); err != nil {
		return fmt.Errorf("cannot record changes of %s: %w", r.name, err)
	}
	return nil
}

func put(t *state.Tx, u update) error {
	if u.remove {
		return t.Remove(u.former)
	}
	// An edit that was taken back may be on its way, or there already with its answer lost: the server is told (found by simulation).
	u.row.Unsure = u.row.Unsure || u.former.LUID != "" && u.former.Dirty() && !u.row.Dirty()
	return t.Put(u.former, u.row)
}

// missing are items whose key is gone: deleted, or renamed.
type missing struct {
	rows  map[string]state.Row // by LUID
	stamp map[pim.Stamp]string // file systems use inodes again: several may have had one
	hash  map[[32]byte]string
	part  map[string]string // by the version of the message that they are parts of
	uid   map[uint64]string // "" is several
}

func newMissing(rows []state.Row) *missing {
	m := &missing{rows: make(map[string]state.Row), stamp: make(map[pim.Stamp]string), hash: make(map[[32]byte]string),
		part: make(map[string]string), uid: make(map[uint64]string)}
	for _, r := range rows {
		m.rows[r.LUID] = r
		if r.Type == pim.TypeFolder {
			continue // a folder is its path: a renamed one is another one
		}
		if r.Shared {
			m.hash[r.Synced.Hash] = r.LUID
		}
		m.hash[r.Hash] = r.LUID
		if r.Whole != "" {
			m.part[r.Whole] = r.LUID
		}
		if r.Stamp.Inode != 0 {
			m.stamp[r.Stamp] = r.LUID
		}
		if _, several := m.uid[r.UID]; several {
			m.uid[r.UID] = ""
		} else if r.UID != 0 {
			m.uid[r.UID] = r.LUID
		}
	}
	return m
}

func (m *missing) byInode(e pim.Entry) state.Row {
	if e.Stamp.Inode == 0 || e.Type == pim.TypeFolder {
		return state.Row{}
	}
	return m.rows[m.stamp[e.Stamp]]
}

func (m *missing) byHash(r state.Row) state.Row {
	if r.Type == pim.TypeFolder || r.Problem != "" {
		return state.Row{}
	}
	return m.rows[m.hash[r.Hash]]
}

// recognize finds out which item has come to lie at a new place, if any has.
func (m *missing) recognize(ctx context.Context, from pim.Reader, e pim.Entry, now state.Row) (state.Row, error) {
	if row := m.like(now); row.LUID != "" {
		return row, nil
	}
	return m.byPart(ctx, from, e)
}

// like is the item of the same bytes, else the one of the same UID: a card or calendar object that was edited and got another name. Programs write
// whole address books anew; as other items all of them would be there twice while the deletions of the former ones are held.
func (m *missing) like(r state.Row) state.Row {
	if row := m.byHash(r); row.LUID != "" || r.UID == 0 || r.Problem != "" {
		return row
	}
	return m.rows[m.uid[r.UID]]
}

// untoldDeletions are items that were deleted here and that the server has not been told of, e.g. because they are held.
func (r *Replica) untoldDeletions() (*missing, error) {
	rows, err := r.index.Deleted()
	return newMissing(slices.DeleteFunc(rows, func(row state.Row) bool { return !row.Gone || row.Doomed })), err
}

// byPart knows a part of a message that was edited and moved by the message that it says it is a part of. As another item it would be all that
// lives on of the message when the deletion of the former one is told (found by simulation).
func (m *missing) byPart(ctx context.Context, from pim.Reader, e pim.Entry) (state.Row, error) {
	if len(m.part) == 0 || e.Type != pim.TypeMessage {
		return state.Row{}, nil
	}
	item, _, err := from.Read(ctx, e.Key)
	var bad *pim.ItemError
	switch {
	case errors.Is(err, pim.ErrNotFound) || errors.As(err, &bad):
		return state.Row{}, nil
	case err != nil:
		return state.Row{}, err
	}
	return m.rows[m.part[whole(item)]], nil
}

func (m *missing) take(r state.Row) { delete(m.rows, r.LUID) }

// left lists what was deleted, contents before the folders they lie in.
func (m *missing) left() []state.Row {
	var items, folders []state.Row
	for _, r := range m.rows {
		if r.Type == pim.TypeFolder {
			folders = append(folders, r)
		} else {
			items = append(items, r)
		}
	}
	return append(items, folders...)
}

// uid is a digest of the UID of a card or calendar object; of messages there are copies.
func uid(it pim.Item) uint64 {
	if it.Type != pim.TypeVCard && it.Type != pim.TypeICalendar {
		return 0
	}
	id := match.UID(it.Body)
	if id == "" {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64()
}

// newLUID is 80 random bits: short on the wire, and never given twice.
func newLUID() string {
	var b [10]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}
