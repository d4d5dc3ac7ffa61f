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
		paragraph("What was exchanged with the server, and what led to it. Nothing here needs you."),
		section("sessions", "Sessions",
			paragraph("A session outlives single connections: it stays open while the device sleeps or is offline."),
			live("sessiontable", drawSessions(a.Sessions), lastEnding(v.Status.Ended), html.Div(html.Class("actions"), v.sessionButton())),
			fourEndings()),
		section("exchanges", "Exchanges", live("log", exchanges(a.Log))),
		section("quiet", "Why there was no exchange", live("quiets", drawQuiet(a.Quiet))))
}

func drawSessions(list []passed) node {
	if len(list) == 0 {
		return paragraph("No session was opened yet.")
	}
	return table(all(heads("Session", "First exchange", "Last exchange"), head(number(), text("Exchanges")), heads("State")),
		each(list, func(_ int, s *passed) node {
			return row(code(short(s.ID)), cell("First", moment(s.First)), cell("Last", moment(s.Last)),
				cell("Exchanges", number(), digits(s.Exchanges)), cell("State", text(cmp.Or(s.State, "ended"))))
		}))
}

func lastEnding(e *control.Ended) node {
	if e == nil {
		return nil
	}
	return html.P(html.Class("more"), text("The last session that ended was "), html.Strong(text(e.Ending)), text(" at "), moment(e.At),
		when(e.Reason != "", text(": ", e.Reason)), text(". ", ending(e.Ending)))
}

// sessionButton closes the session, or opens one.
func (v *view) sessionButton() node {
	if v.Status.Session != nil {
		return v.form("session/close", button("close", "Close the session"))
	}
	return v.form("session/open", button("open", "Open a session"))
}

func fourEndings() node {
	return html.Details(html.Summary(text("The four ways in which a session ends")),
		html.Dl(each([]string{"finalized", "closed", "destroyed", "terminated"}, func(_ int, name *string) node { return fact(text(*name), text(ending(*name))) })),
		paragraph("None of them loses anything: what waits is sent in the next session."))
}

func drawQuiet(list []control.Why) node {
	if len(list) == 0 {
		return paragraph("Whenever something happened, there was an exchange.")
	}
	return table(heads("When", "Why"), each(list, func(_ int, w *control.Why) node {
		return html.Tr(cell("When", moment(w.At)), cell("Why", text(sentence(w.Why))))
	}))
}
