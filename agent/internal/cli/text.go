package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
)

func onOff(on bool) string {
	if on {
		return "Always-On is ON"
	}
	return "Always-On is OFF"
}

// writeStatus is the screen that is looked at most often (ux.md 5.2).
func writeStatus(out io.Writer, s *control.Status, now time.Time) {
	fmt.Fprintf(out, "%-22s %s\n", onOff(s.AlwaysOn), s.Summary+verified(s, now))
	writeSession(out, s, now)
	fmt.Fprintf(out, "push      %-12s %s\n", s.Push.State, pushText(&s.Push, now))
	writeNetwork(out, s)
	if c := s.Crash; c != nil && now.Sub(c.At) < fresh {
		fmt.Fprintf(out, "crash     %s %s; nothing is lost\n", clock(c.At, now), c.Reason)
	}
	fmt.Fprintf(out, "account   %s on %s, device %s\n\n", s.User, s.Server, s.Device)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STORE\tITEMS\tPENDING\tLAST CHANGE\tSTATE")
	for _, st := range s.Stores {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\n", st.Name, st.Items, st.Pending, changeText(st.Change, now), storeState(&st, now))
	}
	w.Flush()
	if s.Advice != "" {
		fmt.Fprintf(out, "\n→ %s\n", s.Advice)
	}
}

// fresh is how long a crash is worth a line.
const fresh = 24 * time.Hour

// writeNetwork tells only what somebody has set.
func writeNetwork(out io.Writer, s *control.Status) {
	var parts []string
	if s.Withheld != "" {
		parts = append(parts, s.Withheld)
	}
	if s.Portal {
		parts = append(parts, s.Network+" wants you to sign in")
	}
	if s.Proxy != "" {
		parts = append(parts, "proxy "+s.Proxy)
	}
	if len(parts) > 0 {
		fmt.Fprintf(out, "network   %s\n", strings.Join(parts, ", "))
	}
}

func verified(s *control.Status, now time.Time) string {
	if s.Verified == nil {
		return ""
	}
	return " (verified " + clock(*s.Verified, now) + ")"
}

// clock is the time of day, with the date if that is another one.
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format("Mon 2 Jan 15:04")
}

func writeSession(out io.Writer, s *control.Status, now time.Time) {
	switch {
	case s.Session != nil && s.Running != "":
		fmt.Fprintf(out, "%-22s open since %s, exchanging (%s)\n", "session   "+short(s.Session.ID), clock(s.Session.Opened, now), s.Running)
	case s.Session != nil:
		fmt.Fprintf(out, "%-22s open since %s, no transport%s\n", "session   "+short(s.Session.ID), clock(s.Session.Opened, now), next(s, now))
	case s.Ended != nil:
		fmt.Fprintf(out, "%-22s the last one was %s %s%s\n", "session   none", s.Ended.Ending, clock(s.Ended.At, now), next(s, now))
	default:
		fmt.Fprintln(out, "session   none")
	}
}

func next(s *control.Status, now time.Time) string {
	if s.Next == nil {
		return ""
	}
	what := "safety check"
	switch s.State {
	case "paused":
		return ""
	case "retrying", "lost":
		what = fmt.Sprintf("attempt %d", s.Attempts+1)
	}
	return fmt.Sprintf(", next %s %s", what, clock(*s.Next, now))
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
		parts = append(parts, "by "+p.Via)
	}
	if p.LastTrigger != nil {
		parts = append(parts, "last trigger "+clock(*p.LastTrigger, now))
	}
	if p.Reason != "" {
		parts = append(parts, p.Reason)
	}
	if p.State == "none" {
		parts = append(parts, "changes on the server are found by polling")
	}
	return strings.Join(parts, ", ")
}

func changeText(c *control.Change, now time.Time) string {
	if c == nil {
		return "-"
	}
	arrow := map[string]string{"server": "← ", "device": "→ ", "both": "↔ "}[c.From]
	return arrow + clock(c.At, now) + " " + c.From
}

func storeState(s *control.Store, now time.Time) string {
	switch {
	case s.Unavailable != "":
		return "not readable, nothing is deleted: " + s.Unavailable
	case s.Held > 0:
		return fmt.Sprintf("%d deletions are held → alwayson hold list", s.Held)
	case s.Differ > 0:
		return fmt.Sprintf("%d items differ from the server → alwayson verify", s.Differ)
	case s.Total > 0 && s.Received < s.Total:
		return fmt.Sprintf("receiving %d/%d", s.Received, s.Total)
	case s.Problems == 1:
		return "1 item has a problem → alwayson pending"
	case s.Problems > 1:
		return fmt.Sprintf("%d items have problems → alwayson pending", s.Problems)
	case s.Pending > 0 && s.Oldest != nil:
		return "waits since " + clock(*s.Oldest, now)
	case s.Polled != "":
		return "looked at every 30 s: " + s.Polled
	}
	return "ok"
}

func writeOutcome(out io.Writer, x *control.Exchange) {
	for _, s := range x.Stores {
		fmt.Fprintf(out, "%-12s sent %d, received %d%s\n", s.Name, s.Sent, s.Received, failed(s.Failed))
	}
	if x.Error == "" && x.Problem == control.NoProblem {
		fmt.Fprintf(out, "done in %s; it is safe to disconnect\n", x.Took.Round(time.Millisecond))
	}
}

func failed(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d could not be synchronized", n)
}

func writePending(out io.Writer, list []control.Pending) {
	if len(list) == 0 {
		fmt.Fprintln(out, "nothing waits")
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STORE\tITEM\tCHANGE\tPROBLEM")
	for _, p := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Store, p.Item, p.Change, p.Problem)
	}
	w.Flush()
}

func writeLog(out io.Writer, list []control.Exchange) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WHEN\tTOOK\tWHY\tSENT\tRECEIVED\tBYTES OUT/IN\tOUTCOME")
	for _, x := range list {
		sent, received, bad := 0, 0, 0
		for _, s := range x.Stores {
			sent, received, bad = sent+s.Sent, received+s.Received, bad+s.Failed
		}
		outcome := "ok" + failed(bad)
		if x.Error != "" {
			outcome = x.Error
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d/%d\t%s\n", x.At.Local().Format(time.DateTime), x.Took.Round(time.Millisecond), x.Cause,
			sent, received, x.BytesOut, x.BytesIn, outcome)
	}
	w.Flush()
}
