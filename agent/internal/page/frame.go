package page

import (
	"fmt"

	"maragu.dev/gomponents/html"
)

// frame is what all rooms have around them.
func (v *view) frame() node {
	return html.Doctype(html.HTML(html.Lang(v.Language()),
		html.Head(
			html.Meta(html.Charset("utf-8")),
			html.Meta(html.Name("viewport"), html.Content("width=device-width, initial-scale=1")),
			html.Meta(html.Name("color-scheme"), html.Content("light dark")),
			html.TitleEl(text(v.Look.Word, " – ", v.name(v.Room.Path), " – AlwaysOn")),
			html.Link(html.Rel("stylesheet"), html.Href(v.local("static/style.css"))),
			html.Script(html.Src(v.local("static/live.js")), html.Defer())),
		html.Body(
			html.A(html.Class("skip"), html.Href("#main"), text(v.Text("Skip to the content"))),
			v.header(),
			html.Main(html.ID("main"), html.TabIndex("-1"), v.content()),
			v.footer())))
}

func (v *view) header() node {
	return html.Header(
		html.P(html.Class("brand"), text("AlwaysOn")),
		html.P(html.Class("state "+v.Look.Class), isLive("badge"), symbol("", v.Look.Symbol), text(" ", v.Look.Word)),
		html.Nav(html.Aria("label", v.Text("Pages")), html.Ul(isLive("pages"), each(v.Rooms, v.door))))
}

// door leads to a room.
func (v *view) door(_ int, r *room) node {
	name := v.name(r.Path)
	if v.Conflicts > 0 && r.Path == "conflicts" {
		name += fmt.Sprint(" (", v.Conflicts, ")")
	}
	return html.Li(v.to(r.Path, when(r.Path == v.Room.Path, html.Aria("current", "page")), text(name)))
}

func (v *view) content() node {
	var top, body node
	if v.Note != nil {
		top = v.Note.draw()
	}
	if v.Body != nil {
		body = v.Body.draw(v)
	}
	return all(top, html.H1(text(v.name(v.Room.Path))), body)
}

func (v *view) footer() node {
	s := &v.Status
	return html.Footer(
		when(s.Device != "", paragraph(v.Text("%s on %s · device %s · version %s", s.User, s.Server, s.Device, s.Version))),
		html.P(text(v.Text("This page is on this device only. It closes by itself when nobody has looked at it for half an hour; synchronization goes on without it."), " "),
			v.liveness()))
}

// liveness is what the script of the page has to say, and what holds without it.
func (v voice) liveness() node {
	return html.Span(html.ID("live"), html.Data("fresh", v.Text("What you see is up to date by itself.")),
		html.Data("old", v.Text("The connection to the agent is gone: what you see may be old. Open the page again with “%s”.", "alwayson page --open")),
		text(v.Text("Without JavaScript, load the page again to see what is new.")))
}
