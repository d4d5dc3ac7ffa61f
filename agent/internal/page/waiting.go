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
		paragraph(v.Text("What the server has not got yet, and what needs your word. Everything here is safe on this device.")),
		live("all", when(len(w.Holds) > 0, v.holds(w.Holds)), section("quarantine", v.Text("Items with problems"), v.drawProblems(w.Problems)),
			section("pending", v.Text("Changes that wait"), v.drawPending(w.Pending))))
}

func (v *view) holds(list []control.Hold) node {
	return section("held", v.Text("Held deletions"),
		paragraph(v.Text("Much of a store was deleted at once. That may be a mistake, so nothing is deleted on the other side until you have decided.")), each(list, v.hold))
}

func (v *view) hold(i int, h *control.Hold) node {
	return html.Article(html.Class("card bad"), html.H3(text(h.Store)),
		when(h.There > 0, html.P(weave(v.Count(h.There, "%d item was deleted on this device; the server still has it (since %s).",
			"%d items were deleted on this device; the server still has them (since %s).", h.There, here), v.moment(h.Since)))),
		when(h.Here > 0, html.P(weave(v.Count(h.Here, "%d item was deleted on the server; it is still on this device (since %s).",
			"%d items were deleted on the server; they are still on this device (since %s).", h.Here, here), v.moment(h.Since)))),
		when(len(h.Items) > 0, paragraph(v.Text("Among them:")), html.Ul(html.Class("names"), each(h.Items, func(_ int, name *string) node { return html.Li(text(*name)) }))),
		v.form("holds", hidden("store", h.Store),
			html.P(button(fmt.Sprint("keep-", i), v.Text("Keep the items on both sides"), html.Class("first"), html.Name("decision"), html.Value("keep"))),
			html.P(
				html.Label(html.Input(html.Type("checkbox"), html.Name("sure"), html.Value("yes"), html.ID(fmt.Sprint("sure-", i))), text(" ", v.Text("I have looked at what is deleted"))), text(" "),
				button(fmt.Sprint("approve-", i), v.Text("Delete them on both sides"), html.Name("decision"), html.Value("approve"), html.Class("danger")))))
}

func (v voice) drawProblems(list []control.Pending) node {
	if len(list) == 0 {
		return paragraph(v.Text("Every item can be synchronized."))
	}
	return all(paragraph(v.Text("These cannot be synchronized as they are. All others are. Each is tried again when it changes: repair it, or delete it if you do not need it.")),
		table(heads(v.Text("Item"), v.Text("Store"), v.Text("Problem")), each(list, func(_ int, p *control.Pending) node {
			return row(itemName(p.Item), cell(v.Text("Store"), text(p.Store)), cell(v.Text("Problem"), text(v.sentence(p.Problem))))
		})))
}

func (v voice) drawPending(list []control.Pending) node {
	if len(list) == 0 {
		return paragraph(v.Text("Nothing waits."))
	}
	return all(paragraph(v.Text("They are sent with the next exchange; there is nothing to do.")),
		table(heads(v.Text("Item"), v.Text("Store"), v.Text("Kind of change")), each(list, func(_ int, p *control.Pending) node {
			return row(itemName(p.Item), cell(v.Text("Store"), text(p.Store)), cell(v.Text("Kind of change"), text(v.Word(p.Change))))
		})))
}
