package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

func onOff(on bool) string {
	if on {
		return say.Text("Always-On is ON")
	}
	return say.Text("Always-On is OFF")
}

// writeStatus is the screen that is looked at most often (ux.md 5.2).
func writeStatus(out io.Writer, s *control.Status, now time.Time) {
	fmt.Fprintf(out, "%-22s %s\n", onOff(s.AlwaysOn), say.Sentence(s.Summary)+verified(s, now))
	writeSession(out, s, now)
	fmt.Fprintf(out, "%-9s %-12s %s\n", say.Text("push"), say.Word(s.Push.State), pushText(&s.Push, now))
	writeNetwork(out, s)
	if c := s.Crash; c != nil && now.Sub(c.At) < fresh {
		fmt.Fprintf(out, "%-9s %s\n", say.Text("crash"), say.Text("%s %s; nothing is lost", clock(c.At, now), say.Sentence(c.Reason)))
	}
	fmt.Fprintf(out, "%-9s %s\n\n", say.Text("account"), say.Text("%s on %s, device %s", s.User, s.Server, s.Device))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, say.Text("STORE\tITEMS\tPENDING\tLAST CHANGE\tSTATE"))
	for _, st := range s.Stores {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\n", st.Name, st.Items, st.Pending, changeText(st.Change, now), storeState(&st, now))
	}
	w.Flush()
	if s.Advice != "" {
		fmt.Fprintf(out, "\n→ %s\n", say.Sentence(s.Advice))
	}
}

// fresh is how long a crash is worth a line.
const fresh = 24 * time.Hour

// writeNetwork tells only what somebody has set.
func writeNetwork(out io.Writer, s *control.Status) {
	var parts []string
	if s.Withheld != "" {
		parts = append(parts, say.Sentence(s.Withheld))
	}
	if s.Portal {
		parts = append(parts, say.Text("%s wants you to sign in", s.Network))
	}
	if s.Proxy != "" {
		parts = append(parts, say.Text("proxy %s", s.Proxy))
	}
	if len(parts) > 0 {
		fmt.Fprintf(out, "%-9s %s\n", say.Text("network"), strings.Join(parts, ", "))
	}
}

func verified(s *control.Status, now time.Time) string {
	if s.Verified == nil {
		return ""
	}
	return " (" + say.Text("verified %s", clock(*s.Verified, now)) + ")"
}

// clock is the time of day, with the date if that is another one.
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return say.Moment(t)
}

func writeSession(out io.Writer, s *control.Status, now time.Time) {
	id, text := say.Text("none"), ""
	switch {
	case s.Session != nil && s.Running != "":
		id, text = short(s.Session.ID), say.Text("open since %s, exchanging (%s)", clock(s.Session.Opened, now), say.Sentence(s.Running))
	case s.Session != nil:
		id, text = short(s.Session.ID), say.Text("open since %s, no transport", clock(s.Session.Opened, now))+next(s, now)
	case s.Ended != nil:
		text = say.Text("the last one was %s %s", say.Word(s.Ended.Ending), clock(s.Ended.At, now)) + next(s, now)
	}
	fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("%-22s %s", fmt.Sprintf("%-9s %s", say.Text("session"), id), text), " "))
}

func next(s *control.Status, now time.Time) string {
	if s.Next == nil {
		return ""
	}
	at := clock(*s.Next, now)
	switch s.State {
	case "paused":
		return ""
	case "retrying", "lost":
		return ", " + say.Text("next attempt %d %s", s.Attempts+1, at)
	}
	return ", " + say.Text("next safety check %s", at)
}

func short(id string) string {
	if len(id) > 8 {
		return id[:8] + "…"
	}
	return id
}

func pushText(p *control.Push, now time.Time) string {
	parts := []string{}
	if p.Broker != "" {
		parts = append(parts, p.Broker)
	}
	if p.Via != "" {
		parts = append(parts, say.Text("by %s", p.Via))
	}
	if p.LastTrigger != nil {
		parts = append(parts, say.Text("last trigger %s", clock(*p.LastTrigger, now)))
	}
	if p.Reason != "" {
		parts = append(parts, say.Sentence(p.Reason))
	}
	if p.State == "none" {
		parts = append(parts, say.Text("changes on the server are found by polling"))
	}
	return strings.Join(parts, ", ")
}

func changeText(c *control.Change, now time.Time) string {
	if c == nil {
		return "-"
	}
	arrow := map[string]string{"server": "← ", "device": "→ ", "both": "↔ "}[c.From]
	return arrow + clock(c.At, now) + " " + say.Word(c.From)
}

func storeState(s *control.Store, now time.Time) string {
	switch {
	case s.Unavailable != "":
		return say.Text("not readable, nothing is deleted: %s", say.Sentence(s.Unavailable))
	case s.Held > 0:
		return say.Count(s.Held, "%d deletions are held → alwayson hold list", "%d deletions are held → alwayson hold list", s.Held)
	case s.Differ > 0:
		return say.Count(s.Differ, "%d items differ from the server → alwayson verify", "%d items differ from the server → alwayson verify", s.Differ)
	case s.Total > 0 && s.Received < s.Total:
		return say.Text("receiving %d/%d", s.Received, s.Total)
	case s.Problems > 0:
		return say.Count(s.Problems, "%d item has a problem → alwayson pending", "%d items have problems → alwayson pending", s.Problems)
	case s.Pending > 0 && s.Oldest != nil:
		return say.Text("waits since %s", clock(*s.Oldest, now))
	case s.Polled != "":
		return say.Text("looked at every 30 s: %s", say.Sentence(s.Polled))
	}
	return say.Text("ok")
}

func writeOutcome(out io.Writer, x *control.Exchange) {
	for _, s := range x.Stores {
		fmt.Fprintf(out, "%-12s %s\n", s.Name, say.Text("sent %d, received %d", s.Sent, s.Received)+failed(s.Failed))
	}
	if x.Error == "" && x.Problem == control.NoProblem {
		fmt.Fprintln(out, say.Text("done in %s; it is safe to disconnect", x.Took.Round(time.Millisecond)))
	}
}

func failed(n int) string {
	if n == 0 {
		return ""
	}
	return ", " + say.Text("%d could not be synchronized", n)
}

func writePending(out io.Writer, list []control.Pending) {
	if len(list) == 0 {
		fmt.Fprintln(out, say.Text("nothing waits"))
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, say.Text("STORE\tITEM\tCHANGE\tPROBLEM"))
	for _, p := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Store, p.Item, say.Word(p.Change), say.Sentence(p.Problem))
	}
	w.Flush()
}

func writeLog(out io.Writer, list []control.Exchange) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, say.Text("WHEN\tTOOK\tWHY\tSENT\tRECEIVED\tBYTES OUT/IN\tOUTCOME"))
	for _, x := range list {
		sent, received, bad := 0, 0, 0
		for _, s := range x.Stores {
			sent, received, bad = sent+s.Sent, received+s.Received, bad+s.Failed
		}
		outcome := say.Text("ok") + failed(bad)
		if x.Error != "" {
			outcome = say.Sentence(x.Error)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d/%d\t%s\n", x.At.Local().Format(time.DateTime), x.Took.Round(time.Millisecond), say.Sentence(x.Cause),
			sent, received, x.BytesOut, x.BytesIn, outcome)
	}
	w.Flush()
}
