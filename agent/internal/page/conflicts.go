package page

import (
	"cmp"
	"context"
	"fmt"

	"maragu.dev/gomponents/html"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// contradictions are all conflicts.
type contradictions []contradiction

// contradiction is a conflict with its two versions side by side.
type contradiction struct {
	control.Conflict
	Lines []pair
	Cut   bool // there are more
}

func (h *house) contradictions(ctx context.Context, _ *view) (body, error) {
	list, err := h.look(ctx, answering)
	out := contradictions{}
	for _, c := range list {
		x := contradiction{Conflict: c}
		x.Lines, x.Cut = sideBySide(c.This, c.That)
		out = append(out, x)
	}
	return orNothing(out, err)
}

func (l contradictions) draw(v *view) node {
	return all(
		paragraph(v.Text("Items that were changed in two places so that both versions contradict each other. Both are kept until you choose; the one that goes can be had back from “History”.")),
		live("all", each(l, v.contradiction), when(len(l) == 0, paragraph(v.Text("There are no conflicts.")))))
}

func (v *view) contradiction(i int, c *contradiction) node {
	id := fmt.Sprint("c", i)
	return html.Article(html.Class("card"), html.Aria("labelledby", id),
		html.H2(html.ID(id), itemName(c.Item)),
		html.P(weave(v.Text("In %s, changed on %s at %s, and elsewhere. Lines that differ are marked.", here, there, yonder), text(c.Store), text(c.Device), v.moment(c.At))),
		html.Table(html.Class("diff"),
			html.Caption(html.Class("unseen"), text(v.Text("The two versions of %s, line by line", c.Item))),
			html.THead(html.Tr(heads(v.Text("This: as changed on %s", c.Device), v.Text("Other: %s", cmp.Or(c.Other, v.Text("gone")))))),
			html.TBody(each(c.Lines, v.drawPair))),
		when(c.Cut, paragraph(v.Text("Long lines and texts are not shown to the end."))),
		v.form("conflicts", html.Class("actions"), hidden("item", c.Item),
			button(fmt.Sprint("this-", i), v.Text("Keep this (left)"), html.Name("keep"), html.Value("this")),
			button(fmt.Sprint("other-", i), v.Text("Keep other (right)"), html.Name("keep"), html.Value("other"))))
}

func (v voice) drawPair(_ int, p *pair) node {
	return html.Tr(when(p.Differ, html.Class("differ")), html.Td(v.version(p.This, p.Differ && p.HasThis)), html.Td(v.version(p.That, p.Differ && p.HasThat)))
}

// version is a line of one of the two.
func (v voice) version(line string, marked bool) node {
	if marked {
		return html.Mark(unseen(v.Text("differs: ")), text(line))
	}
	return text(line)
}
