package dsclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/internal/form"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// phase is which package the client is about to send (protocol.md C.15).
type phase int

const (
	phaseInit    phase = iota
	phaseSync          // our changes
	phaseReceive       // the server's changes; statuses and maps go out
	phaseDone
)

// exchange is the state of one Run.
type exchange struct {
	*Client
	req     Request
	report  Report
	nonce   string
	session string // DS SessionID
	url     string // next request goes here (RespURI)
	opened  wire.Logical
	maxMsg  int // what the server takes
	maxObj  int64
	msgID   int
	phase   phase
	authOK  bool
	asking  string // MsgID of the last message that asked for a result
	// credSent: the message that is under way has credentials.
	credSent bool
	each     bool // the server wants credentials in every message
	aware    bool // the server keeps logical sessions
	peer     *syncml.DevInf
	silent   int  // answers in a row that said nothing
	behind   bool // an anchor of ours is older than one that the server knows
	stores   []*storeExchange
	queue    []*syncml.Status // our answers
	results  []syncml.Command // Results we owe
	sent     map[ref]sentChange
	in       *inObject
	out      *outObject
}

type ref struct{ msg, cmd string }

type sentChange struct {
	st     *storeExchange
	change Change
	more   bool
	isMap  []MapEntry
}

// storeExchange is one datastore in the exchange.
type storeExchange struct {
	Datastore
	want, alert ds.Alert
	status      ds.Status // of the Alert
	failed      bool
	resumed     bool // the server goes on where the last exchange was cut off
	anchors     AnchorState
	presented   string // the Last we presented
	next        string // our Next
	pull        *puller
	form        *form.Form // see exchange.form
	filter      *Filter    // to be told
	conflicts   ds.ConflictPolicy
	known       *Filter // of the server
	unfiltered  error   // why the server has not taken it
	total       int
	opened      bool
	sentAll     bool
	counts      struct{ sent, received, failed int }
	acks        []Ack
	incoming    []Change
	answers     []*syncml.Status // one for each incoming change, to be completed when it was applied
	added       []MapEntry
}

func (st *storeExchange) report() StoreReport {
	return StoreReport{Name: st.Local(), Alert: st.alert, Status: st.status, Sent: st.counts.sent, Received: st.counts.received, Failed: st.counts.failed,
		Filter: st.known, Refused: st.unfiltered}
}

type inObject struct {
	st     *storeExchange
	change Change
	meta   syncml.Meta
	data   []byte
}

type outObject struct {
	st     *storeExchange
	change Change
	object *wire.Object
}

// form is what the server can take and keep of the items of a datastore; nil for one of our own.
func (e *exchange) form(st *storeExchange) *form.Form {
	if e.aware {
		return nil
	}
	if st.form == nil {
		st.form = form.Of(e.peer, st.Remote(), st.Kind())
	}
	return st.form
}

// errUnknownSession ends an exchange in a logical session that the server has forgotten.
var errUnknownSession = errors.New("the server does not know the logical session")

// inLogical tells whether the exchange goes on in a logical session, and so can do without initialization.
func (e *exchange) inLogical() bool { return e.req.Purpose == Sync && e.req.Session != "" }

// syncs tells whether the exchange synchronizes, or only opens or closes the logical session.
func (e *exchange) syncs() bool { return e.req.Purpose == Sync || e.req.Purpose == Open }

// logical is the id to be reported.
func (e *exchange) logical() string {
	if e.opened.Verb == wire.OK {
		return e.opened.ID
	}
	if e.inLogical() && !e.report.Unknown {
		return e.req.Session
	}
	return ""
}

// run sends packages until both sides are done.
func (e *exchange) run(ctx context.Context) error {
	defer e.stop()
	if e.inLogical() || e.req.Purpose == Preview || e.req.Purpose == Ask {
		e.phase, e.aware = phaseSync, true
	}
	if err := e.prepareAnchors(); err != nil {
		return err
	}
	switch err := e.talk(ctx); {
	case errors.Is(err, errUnknownSession):
		e.report.Unknown = true
		return nil
	case err != nil:
		return err // the answers in a message that refuses all say nothing about items; what is not recorded is sent again
	}
	if err := e.acknowledgeAll(ctx); err != nil {
		return err
	}
	return e.finish(ctx)
}

func (e *exchange) talk(ctx context.Context) error {
	for e.phase != phaseDone {
		if err := e.roundTrip(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (e *exchange) stop() {
	for _, st := range e.stores {
		if st.pull != nil {
			st.pull.stop()
		}
	}
}

// roundTrip sends one message and takes its answer.
func (e *exchange) roundTrip(ctx context.Context) error {
	body, err := e.build(ctx)
	if err != nil {
		return err
	}
	answer, local, err := e.send(ctx, body)
	if local != nil {
		return local
	}
	m, err := e.received(body, answer, err)
	if err == nil && saysBusy(m) {
		m, err = e.result(ctx, m)
	}
	if err != nil {
		return err
	}
	return e.take(ctx, m)
}

// received reads the answer to a message.
func (e *exchange) received(body, answer []byte, err error) (*syncml.Message, error) {
	e.report.RoundTrips++
	e.report.BytesOut += len(body)
	e.report.BytesIn += len(answer)
	var cert *CertificateError
	switch {
	case errors.As(err, &cert):
		return nil, cert
	case busyError(err) != nil:
		return nil, busyError(err)
	case err != nil:
		return nil, &TransportError{err}
	}
	m, err := syncml.Decode(answer, e.Encoding)
	if err != nil {
		return nil, &TransportError{fmt.Errorf("the answer is no SyncML: %w", err)}
	}
	return m, nil
}

// send sends a message and does meanwhile what can be done without its answer; local is what went wrong with that.
func (e *exchange) send(ctx context.Context, body []byte) (answer []byte, local, err error) {
	if !e.Ahead || !e.busy() {
		if local = e.meanwhile(ctx); local == nil {
			answer, err = e.Transport.RoundTrip(ctx, e.url, body, e.Encoding)
		}
		return answer, local, err
	}
	var wg sync.WaitGroup
	wg.Go(func() { local = e.meanwhile(ctx) })
	answer, err = e.Transport.RoundTrip(ctx, e.url, body, e.Encoding)
	wg.Wait()
	return answer, local, err
}

// busy tells whether there is something for meanwhile.
func (e *exchange) busy() bool {
	return e.sending() != nil || slices.ContainsFunc(e.stores, func(st *storeExchange) bool { return len(st.acks) > 0 })
}

// meanwhile records the server's answers to what was sent before, and reads as many changes as the next message may take.
func (e *exchange) meanwhile(ctx context.Context) error {
	if err := e.acknowledgeAll(ctx); err != nil {
		return err
	}
	if st := e.sending(); st != nil {
		st.pull.fill(min(e.maxMsg, e.ownLimit()))
	}
	return nil
}

// sending is the datastore whose changes did not all fit into the message under way; nil if there is none, or if it is a large object that
// did not.
func (e *exchange) sending() *storeExchange {
	if e.phase != phaseSync || e.out != nil {
		return nil
	}
	for _, st := range e.stores {
		if !st.failed && !st.sentAll && st.pull != nil {
			return st
		}
	}
	return nil
}

// take carries out what an answer says.
func (e *exchange) take(ctx context.Context, m *syncml.Message) error {
	e.takeHeader(&m.Header)
	e.queueHeaderStatus(&m.Header)
	for _, c := range m.Commands {
		if err := e.command(ctx, m, c); err != nil {
			return err
		}
	}
	if e.opened.Verb == wire.Unknown {
		return errUnknownSession
	}
	if err := e.settle(ctx); err != nil {
		return err
	}
	return e.advance(m)
}

func (e *exchange) takeHeader(h *syncml.Header) {
	if h.RespURI != "" {
		e.url = h.RespURI
	}
	if n := h.Meta.MaxMsgSize; n > 0 {
		e.maxMsg = int(min(max(n, minMsgSize), 4<<20))
	}
	if n := h.Meta.MaxObjSize; n > 0 {
		e.maxObj = n
	}
	if at := wire.FindExpires(h.Meta.EMI); !at.IsZero() {
		e.report.Expires = at
	}
	if l := wire.FindLogical(h.Meta.EMI); l.Verb != "" {
		e.opened = l
		if l.Verb == wire.OK {
			e.aware = true
			e.report.Lease = l.Lease
		}
	}
}

// minMsgSize is taken where a server announces less (protocol.md C.7).
const minMsgSize = 2000

func (e *exchange) queueHeaderStatus(h *syncml.Header) {
	e.queue = append([]*syncml.Status{{MsgRef: h.MsgID, CmdRef: "0", Cmd: "SyncHdr", Code: ds.StatusOK,
		TargetRefs: []string{h.Target.URI}, SourceRefs: []string{h.Source.URI}}}, e.queue...)
}

// advance decides what the next message is for.
func (e *exchange) advance(m *syncml.Message) error {
	if e.silent++; m.Final || !silent(m) {
		e.silent = 0
	}
	if e.silent > maxSilent {
		return &TransportError{errSilent}
	}
	switch {
	case e.req.Purpose == Preview, e.req.Purpose == Ask, e.phase == phaseInit && !e.syncs():
		e.phase = phaseDone
	case e.phase == phaseInit && m.Final:
		e.phase = phaseSync
	case e.phase == phaseSync && e.needsSlow():
		return nil // its changes follow in the next message
	case e.phase == phaseSync && e.allSent() && m.Final:
		e.phase = phaseDone
		if e.owes() {
			e.phase = phaseReceive
		}
	case e.phase == phaseSync && e.allSent():
		e.phase = phaseReceive
	case e.phase == phaseReceive && m.Final && !e.owes():
		e.phase = phaseDone
	}
	switch {
	case e.refusedFilter():
		return errUnfiltered
	case e.behind:
		return errBehind
	}
	return e.allFailed()
}

// maxSilent is how many answers that say nothing may follow each other: a broken or hostile server must not keep an agent going round.
const maxSilent = 10

var errSilent = errors.New("the server goes on without end and says nothing")

// silent tells whether an answer says no more than that our message came.
func silent(m *syncml.Message) bool {
	return !slices.ContainsFunc(m.Commands, func(c syncml.Command) bool {
		st, ok := c.(*syncml.Status)
		return !ok || st.Cmd != "SyncHdr"
	})
}

// errBehind ends an attempt with an anchor that was too old.
var errBehind = errors.New("the server knows a later anchor")

// owes tells whether the server waits for statuses of its changes or for maps. One that keeps no logical sessions waits for the Status of
// its Sync, too: without it SyncEvolution takes the session for aborted, saves no anchors, and asks for a slow sync the next time.
func (e *exchange) owes() bool {
	for _, st := range e.queue {
		switch st.Cmd {
		case "Add", "Replace", "Delete", "Move", "Copy":
			return true
		case "Sync":
			if !e.aware {
				return true
			}
		}
	}
	for _, st := range e.stores {
		if len(st.added) > 0 {
			return true
		}
	}
	return false
}

// allFailed is the error of an exchange in which no datastore can go on.
func (e *exchange) allFailed() error {
	var first error
	for _, st := range e.stores {
		if !st.failed {
			return nil
		}
		if first == nil {
			first = fmt.Errorf("cannot sync %s: server answered %w", st.Local(), st.status)
		}
	}
	return first
}

func (e *exchange) needsSlow() bool {
	for _, st := range e.stores {
		if !st.failed && !st.sentAll && st.alert == ds.AlertSlow && st.want != ds.AlertSlow && !st.opened {
			return true
		}
	}
	return false
}

func (e *exchange) allSent() bool {
	for _, st := range e.stores {
		if !st.failed && !st.sentAll {
			return false
		}
	}
	return e.out == nil
}

// finish saves the anchors: what was exchanged is settled on both sides.
func (e *exchange) finish(ctx context.Context) error {
	if !e.syncs() {
		return nil // nothing was said of anchors
	}
	for _, st := range e.stores {
		if st.failed {
			continue
		}
		if st.alert == ds.AlertRefreshFromServer {
			if err := st.FinishRefresh(ctx); err != nil {
				return err
			}
		}
		st.anchors.Local, st.anchors.LocalNext, st.anchors.Running = st.next, "", 0
		st.anchors.Partial = false
		if err := st.SetAnchors(st.anchors); err != nil {
			return err
		}
	}
	return nil
}

// prepareAnchors chooses what to present. Before the first sync was complete, the Next of the attempt that was cut off is
// what the server may know; if it does, the sync goes on where it stopped (N12).
func (e *exchange) prepareAnchors() error {
	for _, st := range e.stores {
		a, err := st.Anchors()
		if err != nil {
			return err
		}
		st.anchors, st.presented = a, a.Local
		if a.Local == "" {
			st.presented = a.LocalNext
		}
		if e.resumable(st) {
			st.want, st.presented = ds.AlertResume, a.Local
			st.alert = a.Running
		}
		if st.want != ds.AlertResume && (st.presented == "" || a.Slow) && st.alert.NeedsAnchors() {
			st.want, st.alert = ds.AlertSlow, ds.AlertSlow // nothing was ever synchronized (T8), or somebody wants it
		}
		st.next = e.nextAnchor(st.Local(), a)
		if !e.syncs() {
			continue
		}
		if err := st.raise(); err != nil {
			return err
		}
	}
	return nil
}

// raise makes a ceiling above an anchor durable before that is presented: a process that begins after this one may hear of no answer either, and present
// more (found by simulation). Answers raise it in time, so this is a write for each process, and for each day without any.
func (st *storeExchange) raise() error {
	n, _ := strconv.ParseInt(st.next, 36, 64)
	if limit, err := strconv.ParseInt(st.anchors.Ceiling, 36, 64); err == nil && n < limit {
		return nil
	}
	st.anchors.Ceiling = ceiling(st.next)
	return st.SetAnchors(st.anchors)
}

// nextAnchor is later than those before it, whatever became of the clock: a server can tell an old message that comes late, also one that was never
// answered, and of which nobody knows after a crash (found by simulation).
func (e *exchange) nextAnchor(store string, a AnchorState) string {
	n := e.now().UnixMicro()
	before := []string{a.Local, a.LocalNext, a.Ceiling}
	if e.Kept != nil && e.Kept.next[store] != 0 {
		before = before[:2]
	}
	for _, former := range before {
		if v, err := strconv.ParseInt(former, 36, 64); err == nil && v >= n {
			n = v + 1
		}
	}
	if e.Kept != nil {
		if n = max(n, e.Kept.next[store]+1); e.Kept.next == nil {
			e.Kept.next = make(map[string]int64)
		}
		e.Kept.next[store] = n
	}
	return strconv.FormatInt(n, 36)
}

// ceiling is a day later than an anchor.
func ceiling(anchor string) string {
	n, err := strconv.ParseInt(anchor, 36, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(n+(24*time.Hour).Microseconds(), 36)
}
