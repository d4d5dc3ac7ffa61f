package page

import (
	"context"
	"net/http"

	"maragu.dev/gomponents/html"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// findings are what the agent found when it looked at what it depends on.
type findings []control.Finding

func (h *house) doctor(context.Context, *view) (body, error) { return findings(nil), nil }

// examine lets the agent look at what it depends on.
func (h *house) examine(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*patience)
	defer cancel()
	list, err := h.agent.Examine(ctx)
	var n *note
	if err != nil {
		n = &note{Bad: true, Text: "This device was not examined: " + sentence(err.Error())}
	}
	h.render(w, r, roomAt("doctor"), n, findings(list))
}

func (l findings) draw(v *view) node {
	return all(
		paragraph("Looks at what synchronization depends on: configuration, network, server, broker, folders. It changes nothing, and takes some ten seconds if somebody does not answer."),
		v.form("doctor", html.Class("actions"), button("examine", "Examine this device", html.Class("first"))),
		when(len(l) > 0, html.Ul(html.Class("findings"), each(l, drawFinding))))
}

func drawFinding(_ int, f *control.Finding) node {
	store := ""
	if f.Store != "" {
		store = f.Store + ": "
	}
	return html.Li(severity(f.State), text(" "), html.Span(html.B(text(f.Section)), text(" "), html.Span(html.Class("word"), text(f.State)),
		text(": ", store, sentence(f.Text)), when(f.Fix != "", html.Br(), text("What to do: "), code(f.Fix))))
}

func severity(state string) node {
	switch state {
	case "ok":
		return symbol("good", "✓")
	case "warning":
		return symbol("busy", "!")
	}
	return symbol("bad", "✗")
}
