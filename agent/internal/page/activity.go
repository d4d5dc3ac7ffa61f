package page

import (
	"cmp"
	"context"
	"slices"
	"time"

	"maragu.dev/gomponents/html"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// activity is what happened.
type activity struct {
	Sessions []passed
	Log      []control.Exchange // newest first
	Quiet    []control.Why      // why there was no exchange, likewise
}

// passed is a session as far as the log knows it.
type passed struct {
	ID          string
	First, Last time.Time // exchanges
	Exchanges   int
	State       string
}

// logged is how many exchanges are looked at.
const logged = 100

func (h *house) activity(ctx context.Context, v *view) (body, error) {
	log, err := h.agent.Log(ctx, logged)
	if err != nil {
		return nil, err
	}
	why, err := h.agent.Why(ctx)
	why = slices.DeleteFunc(why, func(w control.Why) bool { return w.Exchange }) // the log has those
	why = why[max(0, len(why)-logged):]
	slices.Reverse(log)
	slices.Reverse(why)
	return orNothing(&activity{Sessions: sessions(log, &v.Status), Log: log, Quiet: why}, err)
}

func (a *activity) draw(v *view) node {
	return all(
		paragraph(v.Text("What was exchanged with the server, and what led to it. Nothing here needs you.")),
		section("sessions", v.Text("Sessions"),
			paragraph(v.Text("A session outlives single connections: it stays open while the device sleeps or is offline.")),
			live("sessiontable", v.drawSessions(a.Sessions), v.lastEnding(v.Status.Ended), html.Div(html.Class("actions"), v.sessionButton())),
			v.fourEndings()),
		section("exchanges", v.Text("Exchanges"), live("log", v.exchanges(a.Log))),
		section("quiet", v.Text("Why there was no exchange"), live("quiets", v.drawQuiet(a.Quiet))))
}

func (v voice) drawSessions(list []passed) node {
	if len(list) == 0 {
		return paragraph(v.Text("No session was opened yet."))
	}
	return table(all(heads(v.Text("Session"), v.Text("First exchange"), v.Text("Last exchange")), head(number(), text(v.Text("Exchanges"))), heads(v.Text("State"))),
		each(list, func(_ int, s *passed) node {
			return row(code(short(s.ID)), cell(v.Text("First"), v.moment(s.First)), cell(v.Text("Last"), v.moment(s.Last)),
				cell(v.Text("Exchanges"), number(), digits(s.Exchanges)), cell(v.Text("State"), text(v.Word(cmp.Or(s.State, "ended")))))
		}))
}

func (v voice) lastEnding(e *control.Ended) node {
	if e == nil {
		return nil
	}
	return html.P(html.Class("more"), weave(v.Text("The last session that ended was %s at %s", here, there), html.Strong(text(v.Word(e.Ending))), v.moment(e.At)),
		when(e.Reason != "", text(": ", v.Sentence(e.Reason))), text(". ", v.ending(e.Ending)))
}

// sessionButton closes the session, or opens one.
func (v *view) sessionButton() node {
	if v.Status.Session != nil {
		return v.form("session/close", button("close", v.Text("Close the session")))
	}
	return v.form("session/open", button("open", v.Text("Open a session")))
}

func (v voice) fourEndings() node {
	return html.Details(html.Summary(text(v.Text("The four ways in which a session ends"))),
		html.Dl(each([]string{"finalized", "closed", "destroyed", "terminated"}, func(_ int, name *string) node { return fact(text(v.Word(*name)), text(v.ending(*name))) })),
		paragraph(v.Text("None of them loses anything: what waits is sent in the next session.")))
}

func (v voice) drawQuiet(list []control.Why) node {
	if len(list) == 0 {
		return paragraph(v.Text("Whenever something happened, there was an exchange."))
	}
	return table(heads(v.Text("When"), v.Text("Why")), each(list, func(_ int, w *control.Why) node {
		return html.Tr(cell(v.Text("When"), v.moment(w.At)), cell(v.Text("Why"), text(v.sentence(w.Why))))
	}))
}
