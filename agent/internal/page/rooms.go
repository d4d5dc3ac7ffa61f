package page

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// room is one page.
type room struct {
	Path, Name string
	read       func(*house, context.Context, *view) (any, error)
}

// rooms are all pages, as they stand in the menu.
var rooms = []room{
	{"", "Overview", (*house).overview},
	{"activity", "Activity", (*house).activity},
	{"waiting", "Waiting", (*house).waiting},
	{"conflicts", "Conflicts", (*house).contradictions},
	{"filters", "Filters", (*house).filters},
	{"settings", "Settings", (*house).settings},
	{"history", "History", (*house).history},
	{"messages", "Messages", (*house).messages},
	{"doctor", "Doctor", (*house).doctor},
}

func (r *room) file() string { return cmp.Or(r.Path, "overview") }

// view is what a page shows.
type view struct {
	Rooms  []room
	Room   *room
	Form   string // token of its forms
	Note   *note
	Status control.Status
	Look   look
	// Conflicts is how many there are, as far as that is known.
	Conflicts int
	Body      any
}

// answering is how long the agent may take to list something.
const answering = 5 * time.Second

// show answers with a page.
func (h *house) show(w http.ResponseWriter, r *http.Request, room *room) {
	h.render(w, r, room, guestOf(r).told(), nil)
}

// render shows a page; body is asked of the agent if it is nil.
func (h *house) render(w http.ResponseWriter, r *http.Request, room *room, n *note, body any) {
	ctx, cancel := context.WithTimeout(r.Context(), answering)
	defer cancel()
	v := &view{Rooms: rooms, Room: room, Form: guestOf(r).form, Note: n, Body: body}
	code := http.StatusOK
	err := h.fill(ctx, v)
	if err != nil {
		code = http.StatusServiceUnavailable
		v.Note = &note{Bad: true, Text: "This cannot be shown now: " + sentence(err.Error()) + " Nothing is lost by that; load the page again in a moment."}
		v.Body = nil
	}
	var out bytes.Buffer // a page that fails half way is not half shown
	if err := h.looks.pages[room.Path].ExecuteTemplate(&out, "frame.html", v); err != nil {
		http.Error(w, "The page cannot be shown: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	w.Write(out.Bytes()) //nolint:errcheck // who has gone needs no answer
}

func (h *house) fill(ctx context.Context, v *view) (err error) {
	if v.Status, err = h.agent.Status(ctx); err != nil {
		return err
	}
	if v.Body == nil {
		v.Body, err = v.Room.read(h, ctx, v)
	}
	v.Conflicts = len(h.known())
	v.Look = tellState(&v.Status, v.Conflicts)
	return err
}

// known are the conflicts that the agent told of last.
func (h *house) known() []control.Conflict {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.conflicts
}

// quickly is how long the first page waits for conflicts: while an exchange runs the agent may not have time for them.
const quickly = 500 * time.Millisecond

// glance is look only if a store has become another one: to find conflicts the agent goes through all items, and the first page is read after each event.
func (h *house) glance(ctx context.Context, s *control.Status) ([]control.Conflict, error) {
	now := stateMark(s)
	h.mu.Lock()
	former := h.seen
	h.seen = now
	h.mu.Unlock()
	if former == now {
		return h.known(), nil
	}
	return h.look(ctx, quickly)
}

// stateMark is another one when conflicts may have come or gone.
func stateMark(s *control.Status) (mark string) {
	for _, st := range s.Stores {
		mark += fmt.Sprint(st.Name, " ", st.Items, " ")
		if st.Change != nil {
			mark += st.Change.At.String()
		}
	}
	return mark
}

// look asks for conflicts, and makes do with those that are known if there is no answer in time.
func (h *house) look(ctx context.Context, limit time.Duration) ([]control.Conflict, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	list, err := h.agent.Conflicts(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.seen = "" // it is asked again
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return h.conflicts, nil
	}
	if err == nil {
		h.conflicts = list
	}
	return list, err
}

// overview is the first page.
type overview struct {
	Causes []cause
	Recent []control.Exchange // newest first
}

// recent is how many exchanges the first page shows.
const recent = 6

func (h *house) overview(ctx context.Context, v *view) (any, error) {
	conflicts, err := h.glance(ctx, &v.Status)
	if err != nil {
		return nil, err
	}
	log, err := h.agent.Log(ctx, recent)
	slices.Reverse(log)
	return overview{Causes: causes(&v.Status, len(conflicts)), Recent: log}, err
}

// activity is what happened.
type activity struct {
	Sessions []passed
	Log      []control.Exchange // newest first
	Quiet    []control.Why      // why there was no exchange, likewise
}

// passed is a session as far as the log knows it.
type passed struct {
	ID          string
	First, Last time.Time // exchanges
	Exchanges   int
	State       string
}

// logged is how many exchanges are looked at.
const logged = 100

func (h *house) activity(ctx context.Context, v *view) (any, error) {
	log, err := h.agent.Log(ctx, logged)
	if err != nil {
		return nil, err
	}
	why, err := h.agent.Why(ctx)
	why = slices.DeleteFunc(why, func(w control.Why) bool { return w.Exchange }) // the log has those
	why = why[max(0, len(why)-logged):]
	slices.Reverse(log)
	slices.Reverse(why)
	return activity{Sessions: sessions(log, &v.Status), Log: log, Quiet: why}, err
}

// waiting is what the server has not got, and what needs somebody's word.
type waiting struct {
	Pending, Problems []control.Pending
	Holds             []control.Hold
}

func (h *house) waiting(ctx context.Context, _ *view) (any, error) {
	list, err := h.agent.Pending(ctx)
	if err != nil {
		return nil, err
	}
	var out waiting
	out.Holds, err = h.agent.Holds(ctx)
	for _, p := range list {
		switch {
		case p.Problem != "":
			out.Problems = append(out.Problems, p)
		case !out.held(&p):
			out.Pending = append(out.Pending, p)
		}
	}
	return out, err
}

// held tells whether a change waits for somebody's word rather than for the next exchange.
func (w *waiting) held(p *control.Pending) bool {
	return p.Change == "deleted" && slices.ContainsFunc(w.Holds, func(h control.Hold) bool { return h.Store == p.Store && h.There > 0 })
}

// contradiction is a conflict with its two versions side by side.
type contradiction struct {
	control.Conflict
	Lines []pair
	Cut   bool // there are more
}

func (h *house) contradictions(ctx context.Context, _ *view) (any, error) {
	list, err := h.look(ctx, answering)
	out := []contradiction{}
	for _, c := range list {
		x := contradiction{Conflict: c}
		x.Lines, x.Cut = sideBySide(c.This, c.That)
		out = append(out, x)
	}
	return out, err
}

// wanted is a filter with what was asked about it.
type wanted struct {
	control.Filter
	Typed   string // in the form
	Preview *control.Preview
	Refused string // why it cannot be asked for
}

func (h *house) filters(ctx context.Context, _ *view) (any, error) {
	list, err := h.agent.Filters(ctx)
	out := []wanted{}
	for _, f := range list {
		out = append(out, wanted{Filter: f, Typed: f.Filter})
	}
	return out, err
}

func (h *house) history(ctx context.Context, _ *view) (any, error) {
	list, err := h.agent.History(ctx, "")
	return list[:min(len(list), shown)], err
}

// shown is how many former versions one page lists.
const shown = 200

func (h *house) messages(ctx context.Context, _ *view) (any, error) {
	list, err := h.agent.Messages(ctx)
	slices.Reverse(list)
	return list, err
}

func (h *house) doctor(context.Context, *view) (any, error) { return []control.Finding(nil), nil }
