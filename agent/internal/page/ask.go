package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
)

func roomAt(path string) *room {
	i := slices.IndexFunc(rooms, func(r room) bool { return r.Path == path })
	return &rooms[i]
}

// preview asks what a filter would change, and shows it beside what was typed.
func (h *house) preview(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	list, err := h.filters(ctx, nil)
	if err != nil {
		h.render(w, r, roomAt("filters"), &note{Bad: true, Text: sentence(err.Error())}, []wanted{})
		return
	}
	all := list.([]wanted)
	for i := range all {
		if all[i].Store == r.PostFormValue("store") {
			h.foresee(ctx, &all[i], r.PostFormValue("filter"))
		}
	}
	h.render(w, r, roomAt("filters"), nil, all)
}

func (h *house) foresee(ctx context.Context, f *wanted, typed string) {
	f.Typed = strings.TrimSpace(typed)
	asked := f.Filter
	asked.Filter = f.Typed
	p, err := h.agent.PreviewFilter(ctx, asked)
	if err != nil {
		f.Refused = sentence(err.Error())
		return
	}
	f.Preview = &p
}

// examine lets the agent look at what it depends on.
func (h *house) examine(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*patience)
	defer cancel()
	list, err := h.agent.Examine(ctx)
	var n *note
	if err != nil {
		n = &note{Bad: true, Text: "This device was not examined: " + sentence(err.Error())}
	}
	h.render(w, r, roomAt("doctor"), n, list)
}

// group is settings whose keys begin alike.
type group struct {
	Name     string
	Settings []control.Setting
}

func (h *house) settings(ctx context.Context, _ *view) (any, error) {
	list, err := h.agent.Settings(ctx)
	var fixed *control.Error
	if errors.As(err, &fixed) {
		return []group{}, nil
	}
	var out []group
	for _, s := range list {
		name, _, _ := strings.Cut(s.Key, ".")
		if len(out) == 0 || out[len(out)-1].Name != name {
			out = append(out, group{Name: name})
		}
		g := &out[len(out)-1]
		g.Settings = append(g.Settings, s)
	}
	return out, err
}

// events tells the page that something may have changed, and nothing else: it fetches what it shows as ever.
func (h *house) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	for s, err := range h.agent.Watch(r.Context()) {
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", cmp.Or(s.State, "unknown")); err != nil || flush.Flush() != nil {
			return
		}
	}
}

// stamp is a time for machines.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
