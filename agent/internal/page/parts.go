package page

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"maragu.dev/gomponents"
	"maragu.dev/gomponents/html"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// node is a piece of a page. Texts and the values of attributes are escaped where they are written; nothing here writes anything raw.
type node = gomponents.Node

func text(parts ...string) node { return gomponents.Text(strings.Join(parts, "")) }

// all are pieces that stand one after the other.
func all(parts ...node) node { return gomponents.Group(parts) }

// when is nothing unless it holds. The parts are made in any case: what may be nil needs an if.
func when(holds bool, parts ...node) node { return gomponents.If(holds, all(parts...)) }

func each[T any](list []T, draw func(i int, t *T) node) node {
	out := make(gomponents.Group, len(list))
	for i := range list {
		out[i] = draw(i, &list[i])
	}
	return out
}

// local is an address on this page. All addresses are made here, so that no text of others can lead to another place, or become a script.
func (v *view) local(path string) string {
	return (&url.URL{Path: v.Base + path}).EscapedPath()
}

// to leads to another room.
func (v *view) to(path string, parts ...node) node {
	return html.A(html.Href(v.local(path)), all(parts...))
}

// form asks for an action, and comes back to the room on which it stands.
func (v *view) form(action string, parts ...node) node {
	return html.Form(html.Method("post"), html.Action(v.local(action)), hidden("form", v.Form), hidden("back", v.Room.Path), all(parts...))
}

func hidden(name, value string) node {
	return html.Input(html.Type("hidden"), html.Name(name), html.Value(value))
}

// button has an id by which the focus finds it again when the page is renewed.
func button(id, label string, more ...node) node {
	return html.Button(html.ID(id), all(more...), text(label))
}

// live is renewed by itself while it is looked at.
func live(id string, parts ...node) node { return html.Div(isLive(id), all(parts...)) }

func isLive(id string) node { return all(html.ID(id), gomponents.Attr("data-live")) }

// section has a heading that names it.
func section(id, title string, parts ...node) node {
	return html.Section(html.Aria("labelledby", id), html.H2(html.ID(id), text(title)), all(parts...))
}

// symbol is for the eye only: a word says the same.
func symbol(class, sign string) node {
	return html.Span(html.Class(strings.TrimSuffix("symbol "+class, " ")), html.Aria("hidden", "true"), text(sign))
}

// unseen is for who has the page read aloud.
func unseen(s string) node { return html.Span(html.Class("unseen"), text(s)) }

func paragraph(parts ...string) node { return html.P(text(parts...)) }

func code(s string) node { return html.Code(text(s)) }

func (v voice) moment(t time.Time) node {
	return html.Time(html.DateTime(stamp(t)), text(v.clock(t, time.Now())))
}

// stamp is a time for machines.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// table becomes a list of cards where there is little room.
func table(heads, rows node) node {
	return html.Table(html.Class("stack"), html.THead(html.Tr(heads)), html.TBody(rows))
}

// heads are the titles of columns.
func heads(names ...string) node {
	return each(names, func(_ int, name *string) node { return head(text(*name)) })
}

func head(parts ...node) node { return html.Th(html.Scope("col"), all(parts...)) }

// row begins with what it is about.
func row(name node, cells ...node) node {
	return html.Tr(html.Th(html.Scope("row"), name), all(cells...))
}

// cell has the title of its column with it, for where there is no room for columns.
func cell(label string, parts ...node) node {
	return html.Td(html.Data("label", label), all(parts...))
}

func digits(n int) node { return text(strconv.Itoa(n)) }

func number() node { return html.Class("num") }

// itemName may be long and without a blank.
func itemName(name string) node { return all(html.Class("name"), text(name)) }

// asTyped keeps the browser from improving what is typed.
func asTyped() node {
	return all(gomponents.Attr("spellcheck", "false"), html.AutoComplete("off"), gomponents.Attr("autocapitalize", "off"))
}

// fact is a term and what there is to say of it.
func fact(term node, parts ...node) node { return html.Div(html.Dt(term), html.Dd(parts...)) }

// draw is what came of an action, or of a question.
func (n *note) draw() node {
	class, role, sign := "note good", "status", "✓"
	if n.Bad {
		class, role, sign = "note bad", "alert", "!"
	}
	return html.P(html.Class(class), html.Role(role), symbol("", sign), text(" ", n.Text))
}

// exchanges are those with the server.
func (v voice) exchanges(list []control.Exchange) node {
	if len(list) == 0 {
		return paragraph(v.Text("There was no exchange with the server yet."))
	}
	return table(all(heads(v.Text("When"), v.Text("Why"), v.Text("What came of it")), head(number(), text(v.Text("Took"))), head(number(), text(v.Text("Out / in")))),
		each(list, func(_ int, x *control.Exchange) node {
			return html.Tr(when(x.Error != "", html.Class("failed")),
				cell(v.Text("When"), v.moment(x.At)),
				cell(v.Text("Why"), text(v.Sentence(x.Cause))),
				cell(v.Text("Outcome"), when(x.Error != "", symbol("bad", "✗"), text(" ")), text(v.outcome(*x))),
				cell(v.Text("Took"), number(), text(took(x.Took))),
				cell(v.Text("Out / in"), number(), text(size(int64(x.BytesOut)), " / ", size(int64(x.BytesIn)))))
		}))
}
