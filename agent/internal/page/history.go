package page

import (
	"context"

	"maragu.dev/gomponents/html"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// history is the former versions of items.
type history []control.Former

// shown is how many former versions one page lists.
const shown = 200

func (h *house) history(ctx context.Context, _ *view) (body, error) {
	list, err := h.agent.History(ctx, "")
	return orNothing(history(list[:min(len(list), shown)]), err)
}

func (l history) draw(v *view) node {
	return all(
		paragraph(v.Text("Former versions of items that the server overwrote or deleted on this device, kept for 30 days. What you restore is an edit like any other and goes to the server; the version it replaces comes here.")),
		live("all", l.list(v)))
}

func (l history) list(v *view) node {
	if len(l) == 0 {
		return paragraph(v.Text("No item was overwritten or deleted by the server."))
	}
	return all(v.form("history/undo", html.Class("actions"), button("undo", v.Text("Undo what the server changed last"), html.Class("first"))),
		table(all(heads(v.Text("Item"), v.Text("Store"), v.Text("Replaced"), v.Text("Why")), head(number(), text(v.Text("Size"))), head(unseen(v.Text("Restore")))), each(l, v.former)))
}

// former is one version, with the way back to it.
func (v *view) former(_ int, o *control.Former) node {
	return row(itemName(o.Item), cell(v.Text("Store"), text(o.Store)), cell(v.Text("Replaced"), v.moment(o.At)), cell(v.Text("Why"), text(v.Sentence(o.Reason))),
		cell(v.Text("Size"), number(), text(size(o.Size))),
		html.Td(v.form("history/restore", hidden("id", o.ID), button("restore-"+o.ID, v.Text("Restore"), html.Aria("label", v.Text("Restore %s", o.Item))))))
}
