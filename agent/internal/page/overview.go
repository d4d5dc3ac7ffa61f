package page

import (
	"cmp"
	"context"
	"slices"

	"maragu.dev/gomponents/html"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// overview is the first page.
type overview struct {
	Known  bool // what follows; the state is shown in any case
	Causes []cause
	Recent []control.Exchange // newest first
}

// recent is how many exchanges the first page shows.
const recent = 6

func (h *house) overview(ctx context.Context, v *view) (body, error) {
	conflicts, err := h.glance(ctx, &v.Status)
	if err != nil {
		return &overview{}, err
	}
	log, err := h.agent.Log(ctx, recent)
	slices.Reverse(log)
	return &overview{Known: err == nil, Causes: causes(&v.Status, len(conflicts)), Recent: log}, err
}

func (o *overview) draw(v *view) node {
	return all(
		html.Section(html.Class("hero "+v.Look.Class), html.Aria("labelledby", "state"), live("hero", v.hero())),
		live("causes", when(len(o.Causes) > 0, section("attention", "Needs attention", html.Ul(html.Class("causes"), each(o.Causes, v.cause))))),
		section("stores", "Stores", live("storetable", v.stores())),
		section("connection", "Connection", html.Dl(isLive("facts"), v.connection())),
		section("recent", "Latest exchanges", live("log", when(o.Known, exchanges(o.Recent))),
			html.P(html.Class("more"), v.to("activity", text("All activity, and why")))))
}

// hero is the state in large letters, and what can be done about it.
func (v *view) hero() node {
	do := remedy(v.Status.Advice)
	return all(
		html.H2(html.ID("state"), html.Class("big"), html.Aria("live", "polite"), symbol("", v.Look.Symbol), text(" ", v.Look.Word)),
		html.P(html.Class("lead"), v.lead()),
		paragraph(v.Look.Means),
		when(do != "", html.P(text("What you can do: "), code(do))),
		html.Div(html.Class("actions"), v.toggle(), v.syncNow(), v.pause(), v.form("overview/compare", button("compare", "Compare both sides"))))
}

// lead is what the agent says about the state.
func (v *view) lead() node {
	s := &v.Status
	if v.Look.Says != "" {
		return text(v.Look.Says)
	}
	var says, equal node
	if s.Summary != "in sync" {
		says = text(sentence(s.Summary), " ")
	}
	if s.Verified != nil {
		equal = all(text("Both sides were equal at "), moment(*s.Verified), text("."))
	}
	return all(says, equal)
}

func (v *view) toggle() node {
	if v.Status.AlwaysOn {
		return v.form("off", button("off", "Switch Always-On off"))
	}
	return v.form("on", button("on", "Switch Always-On on", html.Class("first")))
}

func (v *view) syncNow() node {
	return v.form("sync", button("sync", "Sync now", when(v.Status.AlwaysOn, html.Class("first"))))
}

func (v *view) pause() node {
	switch {
	case v.Status.State == "paused":
		return v.form("resume", button("resume", "Resume"))
	case !v.Status.AlwaysOn:
		return nil
	}
	return v.form("pause", html.Class("inline"), html.Label(html.For("for"), text("Pause")), text(" "),
		html.Select(html.Name("for"), html.ID("for"),
			html.Option(html.Value("1h"), text("for 1 hour")), html.Option(html.Value("4h"), text("for 4 hours")),
			html.Option(html.Value("24h"), text("for a day")), html.Option(html.Value(""), text("until I resume"))),
		text(" "), button("pause", "Pause"))
}

func (v *view) cause(_ int, c *cause) node {
	return html.Li(symbol("bad", "!"), text(" "), html.Span(text(c.Text)), text(" "), v.to(c.Path, text(c.Do)))
}

func (v *view) stores() node {
	return table(all(heads("Store"), head(number(), text("Items")), head(number(), text("Waiting")), heads("Last change", "State")), each(v.Status.Stores, v.store))
}

func (v *view) store(_ int, s *control.Store) node {
	m := tellStore(s)
	return row(text(s.Name),
		cell("Items", number(), digits(s.Items)),
		cell("Waiting", number(), digits(s.Pending)),
		cell("Last change", lastChange(s.Change)),
		cell("State", symbol(m.Class, m.Symbol), text(" ", m.Text), when(m.Path != "", text(" "), v.to(m.Path, text(m.Do)))))
}

func lastChange(c *control.Change) node {
	if c == nil {
		return text("none yet")
	}
	return all(moment(c.At), text(" ", changeText(c)))
}

// connection is how this device and the server reach each other.
func (v *view) connection() node {
	s := &v.Status
	var next node
	if s.Next != nil {
		next = fact(text("Next look at the server"), moment(*s.Next), when(s.Attempts > 0, text(", after ", plural(s.Attempts, "failed attempt", "failed attempts"))))
	}
	return all(fact(text("Session"), drawSession(s)), fact(text("Changes on the server"), drawPush(&s.Push)), fact(text("Network"), text(network(s))), next)
}

func drawSession(s *control.Status) node {
	switch {
	case s.Session != nil:
		return all(text("open since "), moment(s.Session.Opened), when(s.Running != "", text(", exchanging (", s.Running, ")")))
	case s.Ended != nil:
		return all(text("none; the last one was ", s.Ended.Ending, " at "), moment(s.Ended.At))
	}
	return text("none")
}

func drawPush(p *control.Push) node {
	switch {
	case p.State == "connected" && p.LastTrigger != nil:
		return all(text("arrive at once (", p.Broker, "), last time at "), moment(*p.LastTrigger))
	case p.State == "connected":
		return text("arrive at once (", p.Broker, ")")
	case p.State == "none":
		return text("are found by asking from time to time")
	}
	return text("come late: ", cmp.Or(p.Reason, p.State))
}

func network(s *control.Status) string {
	name := cmp.Or(s.Network, "none")
	if s.NotAllowed {
		name = s.Network + " is not to be used; nothing leaves over it"
	}
	if s.Proxy != "" {
		name += ", proxy " + s.Proxy
	}
	return name
}
