// Package daemon answers the control API of a running agent (package control).
package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
	"github.com/alwayson-sync/alwayson/agent/internal/egress"
	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/agent/internal/history"
	"github.com/alwayson-sync/alwayson/agent/internal/managed"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/agent/internal/verify"
	"github.com/alwayson-sync/alwayson/agent/internal/want"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// Store is a local store with where it lies.
type Store struct {
	Kind, Dir string
	Replica   *replica.Replica
}

// Parts are what a Daemon shows and steers. All but Settings, Examine and Crash must be set, and Tree if Settings are.
type Parts struct {
	Version, Device string
	Account         func() (user, server string)

	Engine  *engine.Engine
	Stores  []Store
	History *History
	DevInf  func() string       // of the server
	Push    func() control.Push // where the road for triggers stands
	Network func() Network      // in which the device is
	Login   func(secret string) error
	// LoginPush is Login for a broker that has a secret of its own.
	LoginPush func(secret string) error
	// LookAgain looks for a secret that is fetched from somewhere, and Missing is why there is none, nil if there is.
	LookAgain    func(context.Context) error
	Missing      func() *creds.Error
	Certificates func() []control.Certificate // of the device
	Settings     *managed.Settings            // nil if they cannot change
	Tree         func(context.Context) ([]tree.Entry, error)
	Wants        *want.Book
	Former       *history.Book
	Verifier     *verify.Verifier
	Expires      func() time.Time // of the secret; zero if that is not known
	Page         func(context.Context, control.PageRequest) (url string, err error)
	Messages     func() []control.Message
	Examine      func(context.Context) []control.Finding // nil if the program cannot
	Crash        *control.Crash                          // the last one, nil if there was none
}

// Network is that in which the device is, and how data leaves it.
type Network struct {
	Name, Proxy string
	NotAllowed  *egress.NotAllowed // nil if it is allowed
}

// Daemon is the http.Handler of the control API.
type Daemon struct {
	Parts
	mux *http.ServeMux
	ctx context.Context // ends with the agent, and with it every answer that waits
}

// New makes the handler; ctx ends with the agent.
func New(ctx context.Context, p Parts) *Daemon {
	d := &Daemon{Parts: p, mux: http.NewServeMux(), ctx: ctx}
	for pattern, h := range map[string]func(*http.Request) (any, error){
		"GET /v1/status":           func(*http.Request) (any, error) { return d.status(), nil },
		"GET /v1/pending":          d.pending,
		"GET /v1/log":              d.log,
		"POST /v1/on":              d.tell(session.SwitchOn{}),
		"POST /v1/off":             d.tell(session.SwitchOff{}),
		"POST /v1/pause":           d.pause,
		"POST /v1/resume":          d.tell(session.Resume{}),
		"POST /v1/sync":            d.sync,
		"POST /v1/session/open":    d.openSession,
		"POST /v1/session/close":   d.closeSession,
		"POST /v1/login":           d.login,
		"GET /v1/holds":            d.holds,
		"POST /v1/verify":          d.verify,
		"GET /v1/why":              d.why,
		"GET /v1/conflicts":        d.conflicts,
		"POST /v1/conflicts":       d.resolve,
		"POST /v1/holds":           d.decideHold,
		"GET /v1/history":          d.former,
		"POST /v1/restore":         d.restore,
		"POST /v1/fetch":           d.fetch,
		"GET /v1/filters":          d.filters,
		"POST /v1/filters":         d.setFilter,
		"POST /v1/filters/preview": d.previewFilter,
		"GET /v1/settings":         d.settings,
		"POST /v1/settings":        d.setSettings,
		"GET /v1/settings/tree":    d.tree,
		"POST /v1/page":            d.page,
		"GET /v1/messages":         func(*http.Request) (any, error) { return d.Messages(), nil },
		"POST /v1/doctor":          d.examine,
	} {
		d.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { answer(w, r, h) })
	}
	d.mux.HandleFunc("GET /v1/events", d.events)
	return d
}

// ServeHTTP implements http.Handler.
func (d *Daemon) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.mux.ServeHTTP(w, r) }

func answer(w http.ResponseWriter, r *http.Request, h func(*http.Request) (any, error)) {
	v, err := h(r)
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		e := &control.Error{Code: http.StatusInternalServerError, Text: err.Error()}
		errors.As(err, &e)
		w.WriteHeader(e.Code)
		v = e
	}
	json.NewEncoder(w).Encode(v) //nolint:errcheck // who has gone needs no answer
}

func (d *Daemon) tell(ev session.Event) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		if _, err := d.Engine.Tell(r.Context(), ev); err != nil {
			return nil, err
		}
		return d.status(), nil
	}
}

func (d *Daemon) sync(r *http.Request) (any, error) {
	var req control.SyncRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return nil, badRequest(err)
	}
	ev := session.Wanted{Cause: session.CauseUser, Force: true}
	plan, err := d.plan(&req)
	if err != nil {
		return nil, badRequest(err)
	}
	not := d.Network().NotAllowed
	if not != nil && not.OfNetwork() && !req.AnyNetwork {
		return nil, &control.Error{Code: http.StatusConflict, Problem: control.Unreachable,
			Text: not.What + " (" + not.Setting + "); nothing is lost, and it is synchronized by itself " + not.Until + "; type " + not.ByHand + " to do it now"}
	}
	plan.AnyNetwork = req.AnyNetwork || not != nil // what the battery withholds, who asks by hand gets
	if req.Filter != "" {
		if err := d.travel(&req); err != nil {
			return nil, err
		}
	}
	if !req.Wait {
		s, err := d.Engine.TellWith(r.Context(), ev, plan)
		if err == nil && s.Session.Refused {
			err = d.refused(s.Session)
		}
		return control.Exchange{}, err
	}
	return d.ask(r, ev, plan)
}

// plan is what a request asks for.
func (d *Daemon) plan(req *control.SyncRequest) (*engine.Plan, error) {
	alert, err := ds.ParseSyncType(req.Mode)
	if err != nil {
		return nil, err
	}
	plan, names := &engine.Plan{Types: map[string]ds.Alert{}}, []string{}
	for _, s := range d.Stores {
		names = append(names, s.Replica.Name())
		if len(req.Stores) == 0 || slices.Contains(req.Stores, s.Replica.Name()) {
			plan.Types[s.Replica.Local()] = alert
		}
	}
	for _, name := range req.Stores {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no store %s, only %s", name, strings.Join(names, ", "))
		}
	}
	return plan, nil
}

// ask waits for the exchange that an event leads to.
func (d *Daemon) ask(r *http.Request, ev session.Event, plan *engine.Plan) (any, error) {
	x, err := d.Engine.AskWith(r.Context(), ev, plan)
	if err != nil {
		return nil, err
	}
	if x == nil {
		return nil, d.refused(d.Engine.Snapshot().Session)
	}
	out := exchange(*x)
	if out.Problem == control.NoProblem && d.problems() > 0 { // what cannot even be read was not in the exchange
		out.Problem = control.Partial
	}
	return out, nil
}

// problems is how many items cannot be synchronized.
func (d *Daemon) problems() (n int) {
	for _, st := range d.Stores {
		n += st.Replica.Counts().Problems
	}
	return n
}

func badRequest(err error) error {
	return &control.Error{Code: http.StatusBadRequest, Text: "cannot understand the request: " + err.Error()}
}

// refused says why the session allowed no exchange.
func (d *Daemon) refused(r session.Record) error {
	missing := d.Missing()
	switch {
	case missing != nil:
		return &control.Error{Code: http.StatusConflict, Problem: control.Credentials, Text: missing.Error()}
	case r.Refused && r.Certificate:
		return &control.Error{Code: http.StatusConflict, Problem: control.Credentials,
			Text: r.Reason + "; nothing is lost; " + d.certRemedy()}
	case r.Refused:
		return &control.Error{Code: http.StatusConflict, Problem: control.Credentials,
			Text: "the server refused the credentials (" + r.Reason + "); nothing is lost, type alwayson login"}
	case !r.On:
		return &control.Error{Code: http.StatusConflict, Problem: control.NotOn, Text: "Always-On is off; type alwayson on"}
	}
	return &control.Error{Code: http.StatusConflict, Text: fmt.Sprintf("not possible while the session is %s", r.State)}
}

func (d *Daemon) openSession(r *http.Request) (any, error) {
	if d.Engine.Snapshot().Session.ID != "" {
		return d.status(), nil
	}
	x, err := d.Engine.Ask(r.Context(), session.OpenSession{})
	switch {
	case err != nil:
		return nil, err
	case x == nil && d.Engine.Snapshot().Session.ID == "":
		return nil, d.refused(d.Engine.Snapshot().Session)
	case x != nil && x.Err != nil:
		return nil, &control.Error{Code: http.StatusBadGateway, Problem: problem(*x), Text: "cannot open a session: " + x.Err.Error()}
	}
	return d.status(), nil
}

func (d *Daemon) closeSession(r *http.Request) (any, error) {
	if _, err := d.Engine.Ask(r.Context(), session.CloseSession{}); err != nil {
		return nil, err
	}
	return d.status(), nil
}

func (d *Daemon) login(r *http.Request) (any, error) {
	var req struct {
		Secret string
		Push   bool
		Again  bool // look for the secret where it is kept
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return nil, badRequest(err)
	}
	if req.Again {
		return control.Exchange{}, d.LookAgain(r.Context())
	}
	if req.Secret == "" {
		return nil, badRequest(errors.New("the secret is empty"))
	}
	if req.Push {
		return control.Exchange{}, d.LoginPush(req.Secret)
	}
	if err := d.Login(req.Secret); err != nil {
		return nil, err
	}
	if s := d.Engine.Snapshot().Session; s.State == session.Held {
		return d.ask(r, session.Credentials{}, nil)
	}
	if _, err := d.Engine.Tell(r.Context(), session.Credentials{}); err != nil {
		return nil, err
	}
	return d.ask(r, session.Wanted{Cause: session.CausePassword, Force: true}, nil)
}

func (d *Daemon) pending(*http.Request) (any, error) {
	out := []control.Pending{}
	for _, s := range d.Stores {
		list, err := s.Replica.Waiting()
		if err != nil {
			return nil, err
		}
		for _, w := range list {
			out = append(out, control.Pending{Store: s.Replica.Name(), Item: w.Key, Change: w.Change, Problem: w.Problem})
		}
	}
	return out, nil
}

func (d *Daemon) log(r *http.Request) (any, error) {
	n, err := strconv.Atoi(r.FormValue("n"))
	if err != nil && r.FormValue("n") != "" {
		return nil, badRequest(err)
	}
	return d.History.Last(n), nil
}

// quickest bounds how often the status is sent to who watches.
const quickest = 20 * time.Millisecond

// events streams the status after each change (server-sent events).
func (d *Daemon) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	for {
		changed := d.Engine.Changed()
		s := d.status()
		s.ServerDevInf = ""
		body, err := json.Marshal(s)
		if err == nil {
			_, err = fmt.Fprintf(w, "data: %s\n\n", body)
		}
		if err != nil || flush.Flush() != nil {
			return
		}
		if !d.breath(r.Context(), changed) {
			return
		}
	}
}

// breath waits for a change, and a moment at least; false if nobody watches any more.
func (d *Daemon) breath(ctx context.Context, changed <-chan struct{}) bool {
	select {
	case <-changed:
	case <-ctx.Done():
		return false
	case <-d.ctx.Done():
		return false
	}
	select {
	case <-time.After(quickest):
		return true
	case <-ctx.Done():
		return false
	case <-d.ctx.Done():
		return false
	}
}
