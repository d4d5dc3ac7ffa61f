package page

import (
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
	Path string
	read func(*house, context.Context, *view) (body, error)
}

// body is what is known about a room. It is drawn when the state is known, too.
type body interface{ draw(v *view) node }

// orNothing keeps what cannot be told from looking as if there were none of it.
func orNothing(b body, err error) (body, error) {
	if err != nil {
		return nil, err
	}
	return b, nil
}

// rooms are all pages, as they stand in the menu.
var rooms = []room{
	{"", (*house).overview},
	{"activity", (*house).activity},
	{"waiting", (*house).waiting},
	{"conflicts", (*house).contradictions},
	{"filters", (*house).filters},
	{"settings", (*house).settings},
	{"history", (*house).history},
	{"messages", (*house).messages},
	{"doctor", (*house).doctor},
}

func roomAt(path string) *room {
	i := slices.IndexFunc(rooms, func(r room) bool { return r.Path == path })
	return &rooms[i]
}

// name is what a room is called.
func (v voice) name(path string) string {
	return map[string]string{"": v.Text("Overview"), "activity": v.Text("Activity"), "waiting": v.Text("Waiting"), "conflicts": v.Text("Conflicts"), "filters": v.Text("Filters"),
		"settings": v.Text("Settings"), "history": v.Text("History"), "messages": v.Text("Messages"), "doctor": v.Text("Doctor")}[path]
}

// view is what a page shows.
type view struct {
	voice
	Rooms  []room
	Room   *room
	Base   string // of all addresses
	Form   string // token of its forms
	Note   *note
	Status control.Status
	Look   look
	// Conflicts is how many there are, as far as that is known.
	Conflicts int
	Body      body // nil if it cannot be told
}

// answering is how long the agent may take to list something.
const answering = 5 * time.Second

// show answers with a page. A note is for the page that a person loads: one that renews itself meanwhile would take it away unseen.
func (h *house) show(w http.ResponseWriter, r *http.Request, room *room) {
	var n *note
	if r.Header.Get("Renews") == "" {
		n = guestOf(r).told()
	}
	h.render(w, r, room, n, nil)
}

// render shows a page; what is known is asked of the agent if it is nil.
func (h *house) render(w http.ResponseWriter, r *http.Request, room *room, n *note, known body) {
	ctx, cancel := context.WithTimeout(r.Context(), answering)
	defer cancel()
	v := &view{voice: h.voice(r), Rooms: rooms, Room: room, Base: h.guard.base, Form: guestOf(r).form, Note: n, Body: known}
	code := http.StatusOK
	err := h.fill(ctx, v)
	if err != nil {
		code = http.StatusServiceUnavailable
		v.Note = &note{Bad: true, Text: v.Text("This cannot be shown now: %s Nothing is lost by that; load the page again in a moment.", v.sentence(err.Error()))}
	}
	page := v.frame()
	v.answer(w, code)
	page.Render(w) //nolint:errcheck // who has gone needs no answer
}

// voice is the one for who sends a request.
func (h *house) voice(r *http.Request) voice { return h.guard.voices.of(r) }

func (h *house) fill(ctx context.Context, v *view) (err error) {
	if v.Status, err = h.agent.Status(ctx); err != nil {
		return err
	}
	if v.Body == nil {
		v.Body, err = v.Room.read(h, ctx, v)
	}
	v.Conflicts = len(h.known())
	v.Look = v.tellState(&v.Status, v.Conflicts)
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
