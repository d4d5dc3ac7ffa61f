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
		paragraph("Items that were changed in two places so that both versions contradict each other. Both are kept until you choose; the one that goes can be had back from “History”."),
		live("all", each(l, v.contradiction), when(len(l) == 0, paragraph("There are no conflicts."))))
}

func (v *view) contradiction(i int, c *contradiction) node {
	id := fmt.Sprint("c", i)
	return html.Article(html.Class("card"), html.Aria("labelledby", id),
		html.H2(html.ID(id), itemName(c.Item)),
		html.P(text("In ", c.Store, ", changed on ", c.Device, " at "), moment(c.At), text(", and elsewhere. Lines that differ are marked.")),
		html.Table(html.Class("diff"),
			html.Caption(html.Class("unseen"), text("The two versions of ", c.Item, ", line by line")),
			html.THead(html.Tr(heads("This: as changed on "+c.Device, "Other: "+cmp.Or(c.Other, "gone")))),
			html.TBody(each(c.Lines, drawPair))),
		when(c.Cut, paragraph("Long lines and texts are not shown to the end.")),
		v.form("conflicts", html.Class("actions"), hidden("item", c.Item),
			button(fmt.Sprint("this-", i), "Keep this (left)", html.Name("keep"), html.Value("this")),
			button(fmt.Sprint("other-", i), "Keep other (right)", html.Name("keep"), html.Value("other"))))
}

func drawPair(_ int, p *pair) node {
	return html.Tr(when(p.Differ, html.Class("differ")), html.Td(version(p.This, p.Differ && p.HasThis)), html.Td(version(p.That, p.Differ && p.HasThat)))
}

// version is a line of one of the two.
func version(line string, marked bool) node {
	if marked {
		return html.Mark(unseen("differs: "), text(line))
	}
	return text(line)
}
