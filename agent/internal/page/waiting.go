package page

import (
	"context"
	"fmt"
	"slices"

	"maragu.dev/gomponents/html"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// waiting is what the server has not got, and what needs somebody's word.
type waiting struct {
	Pending, Problems []control.Pending
	Holds             []control.Hold
}

func (h *house) waiting(ctx context.Context, _ *view) (body, error) {
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
	return orNothing(&out, err)
}

// held tells whether a change waits for somebody's word rather than for the next exchange.
func (w *waiting) held(p *control.Pending) bool {
	return p.Change == "deleted" && slices.ContainsFunc(w.Holds, func(h control.Hold) bool { return h.Store == p.Store && h.There > 0 })
}

func (w *waiting) draw(v *view) node {
	return all(
		paragraph("What the server has not got yet, and what needs your word. Everything here is safe on this device."),
		live("all", when(len(w.Holds) > 0, v.holds(w.Holds)), section("quarantine", "Items with problems", drawProblems(w.Problems)),
			section("pending", "Changes that wait", drawPending(w.Pending))))
}

func (v *view) holds(list []control.Hold) node {
	return section("held", "Held deletions",
		paragraph("Much of a store was deleted at once. That may be a mistake, so nothing is deleted on the other side until you have decided."), each(list, v.hold))
}

func (v *view) hold(i int, h *control.Hold) node {
	return html.Article(html.Class("card bad"), html.H3(text(h.Store)),
		when(h.There > 0, html.P(text(plural(h.There, "item was", "items were"), " deleted on this device; the server still has them (since "), moment(h.Since), text(")."))),
		when(h.Here > 0, html.P(text(plural(h.Here, "item was", "items were"), " deleted on the server; they are still on this device (since "), moment(h.Since), text(")."))),
		when(len(h.Items) > 0, paragraph("Among them:"), html.Ul(html.Class("names"), each(h.Items, func(_ int, name *string) node { return html.Li(text(*name)) }))),
		v.form("holds", hidden("store", h.Store),
			html.P(button(fmt.Sprint("keep-", i), "Keep the items on both sides", html.Class("first"), html.Name("decision"), html.Value("keep"))),
			html.P(
				html.Label(html.Input(html.Type("checkbox"), html.Name("sure"), html.Value("yes"), html.ID(fmt.Sprint("sure-", i))), text(" I have looked at what is deleted")), text(" "),
				button(fmt.Sprint("approve-", i), "Delete them on both sides", html.Name("decision"), html.Value("approve"), html.Class("danger")))))
}

func drawProblems(list []control.Pending) node {
	if len(list) == 0 {
		return paragraph("Every item can be synchronized.")
	}
	return all(paragraph("These cannot be synchronized as they are. All others are. Each is tried again when it changes: repair it, or delete it if you do not need it."),
		table(heads("Item", "Store", "Problem"), each(list, func(_ int, p *control.Pending) node {
			return row(itemName(p.Item), cell("Store", text(p.Store)), cell("Problem", text(sentence(p.Problem))))
		})))
}

func drawPending(list []control.Pending) node {
	if len(list) == 0 {
		return paragraph("Nothing waits.")
	}
	return all(paragraph("They are sent with the next exchange; there is nothing to do."),
		table(heads("Item", "Store", "Change"), each(list, func(_ int, p *control.Pending) node {
			return row(itemName(p.Item), cell("Store", text(p.Store)), cell("Change", text(p.Change)))
		})))
}
