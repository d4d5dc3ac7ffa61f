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
	v := h.voice(r)
	if err != nil {
		n = &note{Bad: true, Text: v.Text("This device was not examined: %s", v.sentence(err.Error()))}
	}
	h.render(w, r, roomAt("doctor"), n, findings(list))
}

func (l findings) draw(v *view) node {
	return all(
		paragraph(v.Text("Looks at what synchronization depends on: configuration, network, server, broker, folders. It changes nothing, and takes some ten seconds if somebody does not answer.")),
		v.form("doctor", html.Class("actions"), button("examine", v.Text("Examine this device"), html.Class("first"))),
		when(len(l) > 0, html.Ul(html.Class("findings"), each(l, v.drawFinding))))
}

func (v voice) drawFinding(_ int, f *control.Finding) node {
	store := ""
	if f.Store != "" {
		store = f.Store + ": "
	}
	return html.Li(severity(f.State), text(" "), html.Span(html.B(text(v.Word(f.Section))), text(" "), html.Span(html.Class("word"), text(v.Word(f.State))),
		text(": ", store, v.sentence(f.Text)), when(f.Fix != "", html.Br(), weave(v.Text("What to do: %s", here), code(v.Sentence(f.Fix))))))
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
