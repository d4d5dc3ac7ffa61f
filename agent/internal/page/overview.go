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
	return &overview{Known: err == nil, Causes: v.causes(&v.Status, len(conflicts)), Recent: log}, err
}

func (o *overview) draw(v *view) node {
	return all(
		html.Section(html.Class("hero "+v.Look.Class), html.Aria("labelledby", "state"), live("hero", v.hero())),
		live("causes", when(len(o.Causes) > 0, section("attention", v.Text("Needs attention"), html.Ul(html.Class("causes"), each(o.Causes, v.cause))))),
		section("stores", v.Text("Stores"), live("storetable", v.stores())),
		section("connection", v.Text("Connection"), html.Dl(isLive("facts"), v.connection())),
		section("recent", v.Text("Latest exchanges"), live("log", when(o.Known, v.exchanges(o.Recent))),
			html.P(html.Class("more"), v.to("activity", text(v.Text("All activity, and why"))))))
}

// hero is the state in large letters, and what can be done about it.
func (v *view) hero() node {
	do := remedy(v.Status.Advice)
	return all(
		html.H2(html.ID("state"), html.Class("big"), html.Aria("live", "polite"), symbol("", v.Look.Symbol), text(" ", v.Look.Word)),
		html.P(html.Class("lead"), v.lead()),
		paragraph(v.Look.Means),
		when(do != "", html.P(weave(v.Text("What you can do: %s", here), code(v.Sentence(do))))),
		html.Div(html.Class("actions"), v.toggle(), v.syncNow(), v.pause(), v.form("overview/compare", button("compare", v.Text("Compare both sides")))))
}

// lead is what the agent says about the state.
func (v *view) lead() node {
	s := &v.Status
	if v.Look.Says != "" {
		return text(v.Look.Says)
	}
	var says, equal node
	if s.Summary != "in sync" {
		says = text(v.sentence(s.Summary), " ")
	}
	if s.Verified != nil {
		equal = weave(v.Text("Both sides were equal at %s.", here), v.moment(*s.Verified))
	}
	return all(says, equal)
}

func (v *view) toggle() node {
	if v.Status.AlwaysOn {
		return v.form("off", button("off", v.Text("Switch Always-On off")))
	}
	return v.form("on", button("on", v.Text("Switch Always-On on"), html.Class("first")))
}

func (v *view) syncNow() node {
	return v.form("sync", button("sync", v.Text("Sync now"), when(v.Status.AlwaysOn, html.Class("first"))))
}

func (v *view) pause() node {
	switch {
	case v.Status.State == "paused":
		return v.form("resume", button("resume", v.Text("Resume")))
	case !v.Status.AlwaysOn:
		return nil
	}
	return v.form("pause", html.Class("inline"), html.Label(html.For("for"), text(v.Text("Pause"))), text(" "),
		html.Select(html.Name("for"), html.ID("for"),
			html.Option(html.Value("1h"), text(v.Text("for 1 hour"))), html.Option(html.Value("4h"), text(v.Text("for 4 hours"))),
			html.Option(html.Value("24h"), text(v.Text("for a day"))), html.Option(html.Value(""), text(v.Text("until I resume")))),
		text(" "), button("pause", v.Text("Pause")))
}

func (v *view) cause(_ int, c *cause) node {
	return html.Li(symbol("bad", "!"), text(" "), html.Span(text(c.Text)), text(" "), v.to(c.Path, text(c.Do)))
}

func (v *view) stores() node {
	return table(all(heads(v.Text("Store")), head(number(), text(v.Text("Items"))), head(number(), text(v.Text("Waiting"))), heads(v.Text("Last change"), v.Text("State"))), each(v.Status.Stores, v.store))
}

func (v *view) store(_ int, s *control.Store) node {
	m := v.tellStore(s)
	return row(text(s.Name),
		cell(v.Text("Items"), number(), digits(s.Items)),
		cell(v.Text("Waiting"), number(), digits(s.Pending)),
		cell(v.Text("Last change"), v.lastChange(s.Change)),
		cell(v.Text("State"), symbol(m.Class, m.Symbol), text(" ", m.Text), when(m.Path != "", text(" "), v.to(m.Path, text(m.Do)))))
}

func (v voice) lastChange(c *control.Change) node {
	if c == nil {
		return text(v.Text("none yet"))
	}
	return all(v.moment(c.At), text(" ", v.side(c.From)))
}

// connection is how this device and the server reach each other.
func (v *view) connection() node {
	s := &v.Status
	return all(fact(text(v.Text("Session")), v.drawSession(s)), fact(text(v.Text("Changes on the server")), v.drawPush(&s.Push)),
		fact(text(v.Text("Network")), text(v.network(s))), v.next(s))
}

func (v voice) next(s *control.Status) node {
	if s.Next == nil {
		return nil
	}
	return fact(text(v.Text("Next look at the server")), v.moment(*s.Next),
		when(s.Attempts > 0, text(", ", v.Count(s.Attempts, "after %d failed attempt", "after %d failed attempts", s.Attempts))))
}

func (v voice) drawSession(s *control.Status) node {
	switch {
	case s.Session != nil && s.Running != "":
		return weave(v.Text("open since %s, exchanging (%s)", here, there), v.moment(s.Session.Opened), text(v.Sentence(s.Running)))
	case s.Session != nil:
		return weave(v.Text("open since %s", here), v.moment(s.Session.Opened))
	case s.Ended != nil:
		return weave(v.Text("none; the last one was %s at %s", here, there), text(v.Word(s.Ended.Ending)), v.moment(s.Ended.At))
	}
	return text(v.Text("none"))
}

func (v voice) drawPush(p *control.Push) node {
	switch {
	case p.State == "connected" && p.LastTrigger != nil:
		return weave(v.Text("arrive at once (%s), last time at %s", here, there), text(p.Broker), v.moment(*p.LastTrigger))
	case p.State == "connected":
		return text(v.Text("arrive at once (%s)", p.Broker))
	case p.State == "none":
		return text(v.Text("are found by asking from time to time"))
	case p.Reason != "":
		return text(v.Text("come late: %s", v.Sentence(p.Reason)))
	}
	return text(v.Text("come late: %s", v.Word(p.State)))
}

func (v voice) network(s *control.Status) string {
	name := cmp.Or(s.Network, v.Text("no network"))
	if s.NotAllowed {
		name = v.Text("%s is not to be used; nothing leaves over it", s.Network)
	}
	if s.Proxy != "" {
		name += ", " + v.Text("proxy %s", s.Proxy)
	}
	return name
}
