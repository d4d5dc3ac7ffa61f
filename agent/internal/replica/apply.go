package replica

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"syscall"

	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/pim"
)

// Apply carries out changes from the server, together: the order makes it safe against a crash anywhere: intents, files, one sync of
// the disk, rows; a file whose intent is there is recognised, one whose intent is not was never written.
func (r *Replica) Apply(ctx context.Context, changes []dsclient.Change) ([]dsclient.Result, error) {
	return r.carryOut(ctx, changes, later)
}

// when tells how deletions are carried out.
type when int

const (
	later  when = iota // noted, and carried out by Settle
	now                // at once, unless there are edits that were not sent
	forced             // at once, whatever there is (refresh from the server)
)

// job is one change on its way.
type job struct {
	dsclient.Change
	former, row state.Row
	fresh       bool // a new item
	doomed      bool // noted to be deleted; nothing else is to be done
	intent      *state.Intent
	marks       pim.Flags // that the server has
	remove      bool
	held        bool // it is deleted here, and that is to be told
	doubtful    bool // it may have been written although it failed
	occupied    bool // a folder that cannot be deleted because something lies in it
	result      dsclient.Result
}

// carryOut does all of it for a batch.
func (r *Replica) carryOut(ctx context.Context, changes []dsclient.Change, deletions when) ([]dsclient.Result, error) {
	if err := r.recover(ctx); err != nil { // of a batch that could not be made durable
		return nil, err
	}
	if err := r.seek(ctx); err != nil {
		return nil, err
	}
	jobs, err := r.plan(ctx, changes, deletions)
	if err != nil {
		return nil, err
	}
	b, err := r.begin(ctx, jobs)
	if err != nil {
		return nil, errors.Join(err, r.forgetIntents(jobs))
	}
	if err := r.write(b, jobs); err != nil {
		return nil, err
	}
	if err := r.settle(jobs); err != nil {
		return nil, err
	}
	out := make([]dsclient.Result, len(jobs))
	for i := range jobs {
		out[i] = jobs[i].result
	}
	return out, nil
}

// plan finds the item of each change, gives new ones a LUID and a key, and makes intents durable.
func (r *Replica) plan(ctx context.Context, changes []dsclient.Change, deletions when) ([]job, error) {
	jobs := make([]job, len(changes))
	for i, c := range changes {
		jobs[i].Change, jobs[i].marks = c, c.Item.Flags
	}
	p, err := r.newPlan(deletions)
	if err != nil {
		return nil, err
	}
	return jobs, r.inPieces(jobs, func(t *state.Tx, j *job) error { return r.planOne(ctx, t, j, p) })
}

// plan is what the planning of a batch has come to.
type plan struct {
	deletions when
	taken     map[string]bool     // keys of new items
	doomed    map[[32]byte]string // LUIDs by hash of items that the server has deleted and that are still here
	gone      map[[32]byte]string // likewise of those that were deleted here and that the server has not been told of
}

func (r *Replica) newPlan(deletions when) (*plan, error) {
	p := &plan{deletions: deletions, taken: make(map[string]bool), doomed: make(map[[32]byte]string), gone: make(map[[32]byte]string)}
	if r.index.Counts().Deletions == 0 {
		return p, nil
	}
	rows, err := r.index.Deleted()
	for _, row := range rows {
		if p.doom(row); row.Gone && row.Shared && row.Type != pim.TypeFolder {
			p.gone[row.Synced.Hash] = row.LUID
		}
	}
	return p, err
}

// stayGone recognises an item that comes although it was deleted here, as in a slow sync while the deletion is held: it keeps its id, and stays deleted
// until somebody has looked at it (found by simulation).
func (p *plan) stayGone(t *state.Tx, j *job) (held bool, err error) {
	hash := sha256.Sum256(j.Item.Body)
	row, ok, err := t.Row(p.gone[hash])
	if err != nil || !ok || row.Unsure {
		return false, err
	}
	delete(p.gone, hash)
	j.former, j.row, j.held = row, row, true
	j.row.Unsure = true // once: if the server has two of it, the other one is another item (found by simulation)
	j.result = dsclient.Result{LUID: row.LUID, Status: ds.StatusAdded}
	return true, t.Put(row, j.row)
}

// doom notes an item that is about to be deleted. If an equal one comes, somebody else has brought it back, and it stays (found by simulation).
func (p *plan) doom(row state.Row) {
	if row.Doomed && !row.Gone && row.Type != pim.TypeFolder {
		p.doomed[row.Hash] = row.LUID
	}
}

// inPieces calls fn for each job, with as many of them in one transaction as it takes.
func (r *Replica) inPieces(jobs []job, fn func(*state.Tx, *job) error) error {
	return r.index.InPieces(len(jobs), func(t *state.Tx, i int) error { return fn(t, &jobs[i]) })
}

func (r *Replica) planOne(ctx context.Context, t *state.Tx, j *job, p *plan) error {
	luid := j.LUID
	if j.Op == dsclient.Add {
		known, ok, err := r.known(t, j, p)
		switch {
		case err != nil:
			return err
		case !ok:
			return r.planAdd(t, j, p)
		}
		luid = known
	}
	row, ok, err := t.Row(luid)
	switch {
	case err != nil:
		return err
	case !ok:
		j.result = dsclient.Result{Status: ds.StatusNotFound}
	case row.Dirty() && row.Problem == "" && p.deletions != forced:
		j.result = dsclient.Result{LUID: luid, Status: ds.StatusConflict}
	case j.Op != dsclient.Reflag && p.deletions == later && r.moved(ctx, row, j.Soft):
		// Somebody edited or deleted it, and nobody has looked yet. An intent would make his edit one of which nobody knows what it was made from (found by
		// simulation).
		j.result = dsclient.Result{LUID: luid, Status: ds.StatusConflict}
	case j.Op == dsclient.Reflag && !holds(&row, j.Base):
		j.result = dsclient.Result{LUID: luid, Status: ds.StatusIncomplete}
	case j.Op == dsclient.Delete && p.deletions == later:
		err := doom(t, j, row)
		p.doom(j.row)
		return err
	default:
		j.former, j.row, j.result.LUID = row, row, luid
		if err := r.keep(ctx, j); err != nil {
			return err
		}
		return intend(t, j)
	}
	return nil
}

// known is an item that comes as new and is here already: it was sent before and our Map was lost, or somebody has brought it back.
func (r *Replica) known(t *state.Tx, j *job, p *plan) (luid string, ok bool, err error) {
	if luid, ok, err = t.Map(j.GUID); err == nil && !ok {
		luid, ok, err = r.unsent(t, j.GUID)
	}
	if err == nil && !ok && len(p.doomed) > 0 && j.Item.Type != pim.TypeFolder {
		luid, ok = p.doomed[sha256.Sum256(j.Item.Body)]
	}
	return luid, ok, err
}

// planAdd plans an item that is not here.
func (r *Replica) planAdd(t *state.Tx, j *job, p *plan) error {
	if len(p.gone) > 0 && j.Item.Type != pim.TypeFolder {
		if held, err := p.stayGone(t, j); held || err != nil {
			return err
		}
	}
	if _, lost := r.lost[j.GUID]; lost {
		j.result.Status = ds.StatusConflict
		return nil
	}
	return r.planNew(t, j, p.taken)
}

// unsent is a new item that was edited before it could be recorded. The edit goes out first, or the item would be there twice (found by simulation).
func (r *Replica) unsent(t *state.Tx, guid string) (luid string, ok bool, err error) {
	row, ok, err := t.Row(r.edited[guid])
	return row.LUID, ok && !row.Shared && !row.Gone && row.Problem == "", err
}

// doom notes that the server has deleted an item. What only leaves this device is no loss that anybody has to look at, and goes at once; the note
// tells after a crash that it was not the user who deleted it.
func doom(t *state.Tx, j *job, row state.Row) error {
	doomed := row
	doomed.Doomed, doomed.Approved = true, j.Soft
	j.former, j.row, j.result.LUID = doomed, doomed, row.LUID
	if j.doomed = !j.Soft; j.doomed {
		j.result.Status = ds.StatusOK
	}
	return t.Put(row, doomed)
}

// moved tells whether an item is not as it was when somebody looked last. What cannot be told is found out when it is deleted; of what only leaves this
// device it must be told, or a user's deletion would count as ours (found by simulation).
func (r *Replica) moved(ctx context.Context, row state.Row, soft bool) bool {
	if row.Type == pim.TypeFolder {
		return false
	}
	list, err := r.store.Stat(ctx, []string{row.Key})
	if err != nil {
		return soft
	}
	return len(list) == 0 || list[0].Stamp != row.Stamp
}

// holds tells whether an item has the bytes whose marks the server sends, or a part of them. It believes so wrongly if it never heard that we took others
// in between (found by simulation).
func holds(row *state.Row, version string) bool {
	return version == "" || row.Type == pim.TypeFolder || version == base(row)
}

// keep completes an item of a server that cannot keep all of it.
func (r *Replica) keep(ctx context.Context, j *job) error {
	if j.Keep == nil {
		return nil
	}
	here, _, err := r.store.Read(ctx, j.row.Key)
	var bad *pim.ItemError
	switch {
	case err == nil:
		j.Item.Body = j.Keep(here)
	case !errors.Is(err, pim.ErrNotFound) && !errors.As(err, &bad):
		return fmt.Errorf("cannot read %s: %w", r.name, err)
	}
	return nil // what cannot be read is found to have changed when it is written
}

// intend notes what a known item will be, before it is written.
func intend(t *state.Tx, j *job) error {
	if j.Op == dsclient.Delete {
		return nil // a deletion that was cut off is found by the next look, and the server has deleted the item, too
	}
	will := j.row
	will.Flags, will.Folder = j.Item.Flags, j.Item.Folder
	if j.Op != dsclient.Reflag {
		become(&will, j.Item)
	}
	j.intent = &state.Intent{Row: will}
	return t.PutIntent(*j.intent)
}

func (r *Replica) planNew(t *state.Tx, j *job, taken map[string]bool) error {
	key, err := r.store.PlanKey(j.Item)
	if err == nil && taken[key] {
		j.Item.Name = ""
		key, err = r.store.PlanKey(j.Item)
	}
	if err != nil {
		return fmt.Errorf("cannot write to %s: %w", r.name, err)
	}
	known, ok, err := t.ByKey(key)
	if err == nil && ok && j.Item.Type != pim.TypeFolder { // its item was moved away, and nobody has looked yet
		j.Item.Name = ""
		if key, err = r.store.PlanKey(j.Item); err == nil {
			known, ok, err = t.ByKey(key)
		}
	}
	if err != nil {
		return err
	}
	taken[key] = j.Item.Type != pim.TypeFolder
	if ok && j.Item.Type == pim.TypeFolder {
		j.former, j.row, j.result.LUID = known, known, known.LUID // the folder is there already
		return nil
	}
	j.fresh = true
	j.row = state.Row{LUID: newLUID(), Key: key, Type: j.Item.Type}
	become(&j.row, j.Item)
	j.result.LUID = j.row.LUID
	j.intent = &state.Intent{GUID: j.GUID, Row: j.row}
	return t.PutIntent(*j.intent)
}

// become notes what an item holds.
func become(row *state.Row, it pim.Item) {
	row.Version, row.UID, row.Whole = version(it), uid(it), whole(it)
}

func version(it pim.Item) state.Version {
	return state.Version{Hash: sha256.Sum256(it.Body), Flags: it.Flags, Folder: it.Folder}
}

// begin is what comes before the first file is written.
func (r *Replica) begin(ctx context.Context, jobs []job) (pim.Batch, error) {
	if err := r.keepFormer(ctx, jobs); err != nil {
		return nil, err
	}
	r.spareDisk(jobs)
	b, err := r.store.Update(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot write to %s: %w", r.name, err)
	}
	return b, nil
}

// forgetIntents is for a batch of which nothing was written: with its intents an edit would be one of which nobody knows what it was made from (found by
// simulation).
func (r *Replica) forgetIntents(jobs []job) error {
	return r.inPieces(jobs, func(t *state.Tx, j *job) error {
		if j.intent == nil {
			return nil
		}
		return t.DeleteIntent(*j.intent)
	})
}

// write writes the files and makes them durable.
func (r *Replica) write(b pim.Batch, jobs []job) error {
	for i := range jobs {
		if jobs[i].result.Status == 0 {
			r.writeOne(b, &jobs[i])
		}
	}
	if err := b.Commit(); err != nil {
		return fmt.Errorf("cannot write to %s: %w", r.name, err)
	}
	return nil
}

// spareDisk refuses new bodies that would take the reserve of the disk: other programs need it, and a server that sends without end must not
// fill a device.
func (r *Replica) spareDisk(jobs []job) {
	if r.reserve == 0 {
		return
	}
	left, ok := Free(r.dir)
	if !ok {
		return
	}
	for i := range jobs {
		j := &jobs[i]
		if j.result.Status != 0 || j.Op == dsclient.Delete || j.Op == dsclient.Reflag {
			continue
		}
		if left -= int64(len(j.Item.Body)); left < r.reserve {
			j.result.Status = ds.StatusFull
		}
	}
}

func (r *Replica) writeOne(b pim.Batch, j *job) {
	var e pim.Entry
	var err error
	switch {
	case j.Op == dsclient.Delete:
		j.remove = true
		err = b.Delete(j.row.Key, j.row.Stamp) // one that is gone may have been renamed: the next look finds out
		j.result.Status = resultOf(err, ds.StatusOK)
		j.occupied = j.row.Type == pim.TypeFolder && errors.Is(err, pim.ErrChanged)
		return
	case j.fresh:
		e, err = b.Add(j.row.Key, j.Item)
	case j.Op == dsclient.Reflag:
		e, err = b.Reflag(j.row.Key, j.Item.Flags, j.Item.Folder)
		j.row.Flags, j.row.Folder = j.Item.Flags, j.Item.Folder
	default:
		e, err = b.Replace(j.row.Key, j.row.Stamp, j.Item)
		become(&j.row, j.Item)
	}
	code := ds.StatusOK
	if j.fresh {
		code = ds.StatusAdded
	}
	j.result.Status = resultOf(err, code)
	j.doubtful = !j.fresh && (j.result.Status == ds.StatusFull || j.result.Status == ds.StatusStoreFailure)
	if err == nil {
		j.row.Key, j.row.Folder, j.row.Flags = e.Key, e.Folder, e.Flags
		if j.Op != dsclient.Reflag { // a mark leaves the bytes alone: if they look different, somebody has edited them
			j.row.Stamp = e.Stamp
		}
	}
}

// resultOf is the status that tells the server of an error: with 409 it keeps the change for later, because a local edit goes
// out first.
func resultOf(err error, ok ds.Status) ds.Status {
	switch {
	case err == nil:
		return ok
	case errors.Is(err, pim.ErrChanged), errors.Is(err, pim.ErrNotFound), errors.Is(err, pim.ErrExists):
		return ds.StatusConflict
	case errors.Is(err, syscall.ENOSPC):
		return ds.StatusFull
	case errors.Is(err, pim.ErrTooLarge):
		return ds.StatusObjectTooLarge
	}
	return ds.StatusStoreFailure
}

// settle records what was done, and that the server knows it: our own writes are no news (G10).
func (r *Replica) settle(jobs []job) error {
	return r.inPieces(jobs, r.settleOne)
}

func (r *Replica) settleOne(t *state.Tx, j *job) error {
	done := j.result.Status.OK()
	var errs []error
	if j.intent != nil && !j.doubtful { // else the next look finds out (found by simulation)
		errs = append(errs, t.DeleteIntent(*j.intent))
	}
	switch {
	case j.held:
		errs = append(errs, t.PutMap(j.GUID, j.row.LUID))
	case j.occupied: // what lies in it lives on, and so does the folder, also on the server (found by simulation)
		row := j.row
		row.Doomed, row.Approved, row.Shared, row.Synced = false, false, false, state.Version{}
		errs = append(errs, t.Put(j.former, row))
		r.meanwhile++
	case !done && j.row.Doomed && j.Soft: // somebody else was quicker: the next look finds out what he did
		row := j.row
		row.Doomed, row.Approved = false, false
		errs = append(errs, t.Put(j.former, row))
	case !done || j.doomed:
	case j.remove:
		errs = append(errs, t.Remove(j.former))
	default:
		row := j.row
		row.Shared, row.Problem, row.Doomed, row.Approved, row.Unsure = true, "", false, false, false
		if row.Synced = row.Version; row.Type == pim.TypeMessage {
			row.Synced.Flags = j.marks // a user may have set others since (found by simulation)
		}
		errs = append(errs, r.displace(t, row), t.Put(j.former, row))
		if j.Op == dsclient.Add {
			errs = append(errs, t.PutMap(j.GUID, row.LUID))
		}
	}
	return errors.Join(errs...)
}

// displace makes the next look go everywhere if this item was put where another one lay: a user was there before anybody looked, and has moved or
// deleted that (found by simulation).
func (r *Replica) displace(t *state.Tx, row state.Row) error {
	other, ok, err := t.ByKey(row.Key)
	r.blind = r.blind || ok && other.LUID != row.LUID && row.Type != pim.TypeFolder
	return err
}

// recover finishes items that a crash left between intent and row: a file that holds what was intended is one that was written.
func (r *Replica) recover(ctx context.Context) error {
	var list []state.Intent
	err := r.index.View(func(t *state.Tx) (err error) {
		list, err = t.Intents()
		return err
	})
	if err != nil || len(list) == 0 {
		return err
	}
	b, err := r.store.Update(ctx)
	if err != nil {
		return err
	}
	var done []recovered
	for _, i := range list {
		x, err := r.recoverOne(ctx, b, i)
		if err != nil {
			return errors.Join(err, b.Commit())
		}
		done = append(done, x)
	}
	if err := b.Commit(); err != nil {
		return err
	}
	return r.settleRecovered(done)
}

// seek looks for new items that were written before a crash or a failure and are not where they were put: their user was quicker than our note of
// them. As long as there are items that the server has not got, they may be among those with an edit, and those go out first, or they would be there
// twice (found by simulation).
func (r *Replica) seek(ctx context.Context) error {
	if len(r.lost) == 0 {
		return nil
	}
	if err := r.lookMeanwhile(ctx); err != nil {
		return err
	}
	list, err := r.unsentItems()
	if err == nil && len(list) == 0 {
		clear(r.lost)
	}
	return err
}

// claim takes new files for what they are if they hold what a lost item should: it was written, and its user moved it.
func (r *Replica) claim() error {
	if len(r.lost) == 0 {
		return nil
	}
	list, err := r.unsentItems()
	if err != nil {
		return err
	}
	lost := make(map[[32]byte]state.Intent)
	for _, i := range r.lost {
		lost[i.Row.Hash] = i
	}
	return r.index.InPieces(len(list), func(t *state.Tx, n int) error {
		former := list[n]
		i, ok := lost[former.Hash]
		if !ok {
			return nil
		}
		delete(lost, former.Hash)
		delete(r.lost, i.GUID)
		row := former
		row.Shared, row.Synced, row.Whole = true, i.Row.Version, i.Row.Whole
		return errors.Join(t.Put(former, row), t.PutMap(i.GUID, row.LUID))
	})
}

// unsentItems are those that the server never had, without folders.
func (r *Replica) unsentItems() (out []state.Row, err error) {
	err = r.index.View(func(t *state.Tx) error {
		return t.All(func(row state.Row) error {
			if row.Type != pim.TypeFolder && !row.Shared && !row.Gone && row.Problem == "" {
				out = append(out, row)
			}
			return nil
		})
	})
	return out, err
}

// recovered is an intent with the item that it led to, if it was carried out.
type recovered struct {
	intent  state.Intent
	entry   pim.Entry
	written bool
	edited  bool // a new item was written, and a user was quicker
	here    bool // there is a file, with this hash
	hash    [32]byte
}

// recoverOne looks whether an intent was carried out. The file is written once more: the crash may have come before the disk was synced, and
// what a power cut takes away later would count as deleted by the user.
func (r *Replica) recoverOne(ctx context.Context, b pim.Batch, i state.Intent) (recovered, error) {
	x := recovered{intent: i}
	item, e, err := r.store.Read(ctx, i.Row.Key)
	var bad *pim.ItemError
	if err != nil && !errors.Is(err, pim.ErrNotFound) && !errors.As(err, &bad) {
		return x, err
	}
	now := state.Version{Flags: e.Flags, Folder: e.Folder}
	if err == nil {
		now.Hash = sha256.Sum256(item.Body)
	}
	x.written = err == nil && now == i.Row.Version
	if err == nil && !x.written && now.Hash == i.Row.Hash {
		if x.written, err = r.overwrote(i); err != nil {
			return x, err
		}
	}
	x.edited = err == nil && !x.written && i.GUID != ""
	x.here, x.hash = err == nil, now.Hash
	if x.entry = e; x.written && item.Type != pim.TypeFolder {
		again, err := b.Replace(e.Key, e.Stamp, item)
		switch {
		case (errors.Is(err, pim.ErrChanged) || errors.Is(err, pim.ErrNotFound)) && i.GUID != "":
			x.written, x.edited = false, true // somebody was quicker
		case errors.Is(err, pim.ErrChanged), errors.Is(err, pim.ErrNotFound):
			b.Touched(e.Key) // likewise, and what he changed or deleted was ours: the next look finds out (found by simulation)
		case err != nil:
			return x, err
		default:
			x.entry = again
		}
	}
	return x, nil
}

// overwrote tells whether the bytes of an intent are ours although they are not yet where they should be, or not with its marks: a new one's folder may
// have had to get another name, and what is written and then moved may have got half of it. For that the server sends it again (found by simulation).
func (r *Replica) overwrote(i state.Intent) (bool, error) {
	if i.GUID != "" {
		return true, nil
	}
	row, ok, err := r.row(i.Row.LUID)
	return ok && row.Hash != i.Row.Hash, err
}

func (r *Replica) settleRecovered(list []recovered) error {
	return r.index.InPieces(len(list), func(t *state.Tx, i int) error {
		x := list[i]
		switch err := t.DeleteIntent(x.intent); {
		case err != nil:
			return err
		case x.written:
			return r.settleIntent(t, x.intent, x.entry)
		case x.edited:
			r.edited[x.intent.GUID] = x.intent.Row.LUID
			return noteBase(t, x.intent)
		case x.intent.GUID != "":
			r.lost[x.intent.GUID] = x.intent
			return nil
		}
		return doubt(t, &x)
	})
}

// doubt notes of an item that was edited or deleted when we were about to overwrite it that nobody knows which of the two versions its user had
// before him. The server then keeps both, unless the two are the same (found by simulation).
func doubt(t *state.Tx, x *recovered) error {
	row, ok, err := t.Row(x.intent.Row.LUID)
	if err != nil || !ok || !row.Shared || x.here && x.hash == row.Hash || x.intent.Row.Hash == row.Hash {
		return err
	}
	former := row
	if row.Synced.Hash, row.Unsure = state.UnknownHash, true; !x.here {
		row.Version, row.Whole = x.intent.Row.Version, x.intent.Row.Whole // by which it is known if it was moved
	}
	return t.Put(former, row)
}

// noteBase makes the next look take a file for an edit of what was written there, which the server knows by it. Else it would seem a second
// item of the same name (found by simulation). If it is no such edit, the server finds no item of ours like it, and it is new all the same.
func noteBase(t *state.Tx, i state.Intent) error {
	_, known, err := t.Row(i.Row.LUID)
	_, taken, e := t.ByKey(i.Row.Key)
	if err = errors.Join(err, e); err != nil || known || taken {
		return err
	}
	row := state.Row{LUID: i.Row.LUID, Key: i.Row.Key, Type: i.Row.Type, Version: i.Row.Version, Synced: i.Row.Version, Whole: i.Row.Whole}
	return t.Put(state.Row{}, row)
}

// settleIntent records what a crash kept from being recorded.
func (r *Replica) settleIntent(t *state.Tx, i state.Intent, e pim.Entry) error {
	j := job{Change: dsclient.Change{Op: dsclient.Add, GUID: i.GUID}, row: i.Row, intent: &i, marks: i.Row.Flags,
		result: dsclient.Result{LUID: i.Row.LUID, Status: ds.StatusAdded}}
	j.row.Stamp, j.row.Key, j.row.Flags, j.row.Folder = e.Stamp, e.Key, e.Flags, e.Folder
	former, ok, err := t.Row(i.Row.LUID)
	switch {
	case err != nil:
		return err
	case ok:
		if j.former, j.Op = former, dsclient.Replace; e.Flags != i.Row.Flags {
			j.marks = former.Synced.Flags // those of ours are not there yet, and what its user has set is told
		}
	case i.GUID == "":
		return t.DeleteIntent(i) // the item was forgotten meanwhile
	}
	return r.settleOne(t, &j)
}
