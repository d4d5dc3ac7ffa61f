package page

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"maragu.dev/gomponents/html"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// filters are those of all stores.
type filters []wanted

// wanted is a filter with what was asked about it.
type wanted struct {
	control.Filter
	Typed   string // in the form
	Preview *control.Preview
	Refused string // why it cannot be asked for
}

func (h *house) filters(ctx context.Context, _ *view) (body, error) {
	list, err := h.askFilters(ctx)
	return orNothing(list, err)
}

func (h *house) askFilters(ctx context.Context) (filters, error) {
	list, err := h.agent.Filters(ctx)
	out := filters{}
	for _, f := range list {
		out = append(out, wanted{Filter: f, Typed: f.Filter})
	}
	return out, err
}

// preview asks what a filter would change, and shows it beside what was typed.
func (h *house) preview(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	list, err := h.askFilters(ctx)
	if err != nil {
		h.render(w, r, roomAt("filters"), &note{Bad: true, Text: h.voice(r).sentence(err.Error())}, filters{})
		return
	}
	for i := range list {
		if list[i].Store == r.PostFormValue("store") {
			h.foresee(ctx, &list[i], r.PostFormValue("filter"))
		}
	}
	h.render(w, r, roomAt("filters"), nil, list)
}

func (h *house) foresee(ctx context.Context, f *wanted, typed string) {
	f.Typed = strings.TrimSpace(typed)
	asked := f.Filter
	asked.Filter = f.Typed
	p, err := h.agent.PreviewFilter(ctx, asked)
	if err != nil {
		f.Refused = err.Error()
		return
	}
	f.Preview = &p
}

func (l filters) draw(v *view) node {
	return all(
		paragraph(v.Text("What of each store this device keeps. What a filter leaves out leaves this device and stays on the server; an empty filter keeps everything.")),
		each(l, v.filter),
		section("help-title", v.Text("How to write one"),
			html.P(html.ID("help"), weave(v.Text("Words that stand side by side must all be true; a comma means one of several, a minus before a word turns it round, "+
				"%s and parentheses combine.", here), code("or"))),
			html.Dl(
				fact(code("from:@customer.example since:14d"), text(v.Text("mails of a customer in the last two weeks"))),
				fact(code("(subject:invoice or has:attachment) -flag:seen"), text(v.Text("unread mails about an invoice, or with an attachment"))),
				fact(code("since:30d before:90d"), text(v.Text("events from a month ago to ninety days ahead"))),
				fact(code("since:30d attachments:2m"), text(v.Text("mails of a month, with attachments up to 2 MB"))))))
}

func (v *view) filter(i int, f *wanted) node {
	id, field := fmt.Sprint("f", i), fmt.Sprint("filter-", i)
	return html.Article(html.Class("card"), html.Aria("labelledby", id),
		html.H2(html.ID(id), text(f.Store)),
		html.P(v.keeps(f), v.travels(f)),
		v.form("filters", hidden("store", f.Store),
			html.P(html.Label(html.For(field), text(v.Text("Filter of %s", f.Store))), text(" "),
				html.Input(html.Type("text"), html.ID(field), html.Name("filter"), html.Value(f.Typed), html.Aria("describedby", "help"), asTyped())),
			v.foreseen(f),
			html.Div(html.Class("actions"),
				button(fmt.Sprint("preview-", i), v.Text("Ask what it would change"), html.FormAction(v.local("filters/preview"))),
				button(fmt.Sprint("set-", i), v.Text("Set the filter"), html.Class("first")))))
}

func (v voice) keeps(f *wanted) node {
	what := text(v.Text("everything"))
	if f.Filter.Filter != "" {
		what = code(f.Filter.Filter)
	}
	switch {
	case f.Reason != "":
		return weave(v.Text("Keeps %s; the server refused it: %s.", here, there), what, text(v.Sentence(f.Reason)))
	case f.State == "waiting":
		return weave(v.Text("Keeps %s, as soon as the server has been told.", here), what)
	}
	return weave(v.Text("Keeps %s.", here), what)
}

func (v voice) travels(f *wanted) node {
	if f.Travel == "" || f.Until == nil {
		return nil
	}
	return all(text(" "), weave(v.Text("Until %s also %s.", here, there), v.moment(*f.Until), code(f.Travel)))
}

// foreseen is what was asked about a filter.
func (v voice) foreseen(f *wanted) node {
	if f.Refused != "" {
		return (&note{Bad: true, Text: v.Text("%s Nothing is changed.", v.sentence(f.Refused))}).draw()
	}
	p := f.Preview
	if p == nil {
		return nil
	}
	return html.P(html.Class("note good"), html.Role("status"), symbol("", "?"), text(" ", v.Count(p.Come,
		"With this filter, %d item would come, %d would come again in another form, and %d would leave this device and stay on the server. Nothing is changed yet.",
		"With this filter, %d items would come, %d would come again in another form, and %d would leave this device and stay on the server. Nothing is changed yet.",
		p.Come, p.Change, p.Leave)))
}
