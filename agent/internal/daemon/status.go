package daemon

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/clientcert"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
	"github.com/alwayson-sync/alwayson/agent/internal/egress"
	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/ds/session"
)

func (d *Daemon) status() control.Status {
	s := d.Engine.Snapshot()
	r := s.Session
	user, server := d.Account()
	out := control.Status{
		Version: d.Version, Device: d.Device, User: user, Server: server,
		AlwaysOn: r.On, State: string(r.State), Since: r.Since, Reason: r.Reason, Running: string(s.Running),
		Until: timeOrNil(r.Until), Attempts: r.Failures, Next: timeOrNil(s.Next), Verified: timeOrNil(s.Good), Push: d.Push(), ServerDevInf: d.DevInf(),
	}
	if r.ID != "" {
		out.Session = &control.Session{ID: r.ID, Opened: r.Opened}
	}
	if r.Ending != "" {
		out.Ended = &control.Ended{Ending: string(r.Ending), At: r.Ended, Reason: r.Why}
	}
	var sum sums
	progress := d.Engine.Progress()
	for _, st := range d.Stores {
		row := d.store(st, s, progress)
		sum.waiting += row.Pending
		sum.problems += row.Problems
		if row.Differ > 0 {
			sum.differ = append(sum.differ, row.Name)
		}
		if o, _ := d.Verifier.Outcome(row.Name); o.Tried && row.Differ > 0 {
			sum.stuck = true
		}
		if row.Held > 0 {
			sum.held = append(sum.held, row.Name)
		}
		if row.Unavailable != "" {
			sum.unreadable = append(sum.unreadable, row.Name)
		}
		out.Stores = append(out.Stores, row)
	}
	out.Summary, out.Advice = summary(s, sum)
	out.Certificates = d.Certificates()
	if r.Refused && r.Certificate {
		out.Summary, out.Advice = r.Reason+"; nothing is lost"+wait(sum.waiting), d.certRemedy()
	}
	if r.Refused {
		out.Problem = control.Credentials
	}
	if missing := d.Missing(); missing != nil {
		tellMissing(&out, r, missing, sum.waiting)
	}
	d.tellNetwork(&out, s.Trouble, sum.waiting)
	d.warnOfPush(&out)
	d.warnOfCertificates(&out, time.Now())
	out.Crash = d.Crash
	out.SecretExpires = timeOrNil(d.Expires())
	if at := out.SecretExpires; at != nil && time.Until(*at) < warnAhead && out.Advice == "" {
		out.Summary += "; the secret of this device is good until " + at.Local().Format("Mon 2 Jan 15:04")
		out.Advice = "alwayson login, with a new secret from your administrator"
	}
	return out
}

// tellMissing tells that there is no secret to be had now. Nothing is tried without one, and nobody has refused anything.
func tellMissing(s *control.Status, r session.Record, missing *creds.Error, waiting int) {
	s.Problem, s.NoSecret, s.Advice = control.Credentials, missing.What, missing.Advice
	switch {
	case r.State == session.Held:
		s.Summary = "held: " + missing.Error() + wait(waiting)
	case !r.On:
		s.Summary = "Always-On is off, and " + missing.Error() + wait(waiting)
	case r.State == session.Paused && r.Refused:
		r.Refused = false
		s.Summary = pausedSummary(r, 0) + "; " + missing.Error() + wait(waiting)
	default:
		s.Summary += "; " + missing.Error()
	}
}

// warnAhead is how long before its end the user is told that the secret will age (A9).
const warnAhead = 7 * 24 * time.Hour

// warnOfPush names what the broker has refused: everything is found by polling meanwhile, and nothing is tried again by itself (A10).
func (d *Daemon) warnOfPush(s *control.Status) {
	if s.Push.State != "refused" && (s.Push.State != "held" || d.Missing() != nil) {
		return
	}
	if s.Push.NeedsCredentials {
		s.Problem = control.Credentials
	}
	s.Summary += "; changes on the server come late: " + s.Push.Reason
	if s.Advice == "" {
		s.Advice = s.Push.Advice
	}
}

// tellNetwork tells of the network, and of what in it is in the way rather than the server.
func (d *Daemon) tellNetwork(s *control.Status, trouble error, waiting int) {
	n := d.Network()
	s.Network, s.Proxy = n.Name, n.Proxy
	if n.NotAllowed != nil {
		s.NotAllowed, s.Withheld = n.NotAllowed.OfNetwork(), n.NotAllowed.What
	}
	if s.State != string(session.Retrying) && s.State != string(session.Lost) {
		return
	}
	var proxy *egress.Error
	var portal *egress.Portal
	s.Portal = n.NotAllowed == nil && errors.As(trouble, &portal)
	switch {
	case n.NotAllowed != nil:
		s.Summary, s.Advice = n.NotAllowed.What+"; nothing is lost, and it goes on by itself "+n.NotAllowed.Until+wait(waiting), n.NotAllowed.ByHand
	case s.Portal:
		s.Summary, s.Advice = portal.Error()+"; nothing is lost, and it goes on by itself when you have"+wait(waiting), egress.SignIn
	case errors.As(trouble, &proxy):
		s.Summary = "the proxy " + proxy.Proxy + " " + proxy.What + "; nothing is lost, and it is tried again by itself" + wait(waiting)
		s.Advice = proxy.Remedy
	}
}

// warnOfCertificates tells ahead of time that one expires (A9).
func (d *Daemon) warnOfCertificates(s *control.Status, now time.Time) {
	for _, c := range s.Certificates {
		switch left := c.Expires.Sub(now); {
		case s.Advice != "" || left > warnAhead:
			continue
		case left < 0:
			s.Summary += "; " + c.Problem + ", and the next handshake may fail"
		case left < 24*time.Hour:
			s.Summary += "; the client certificate expires within a day, on " + c.Expires.Local().Format("Mon 2 Jan 15:04")
		default:
			s.Summary += "; the client certificate is valid until " + c.Expires.Local().Format("Mon 2 Jan 15:04")
		}
		s.Advice = clientcert.Remedy(c.File)
	}
}

// certRemedy is what the user can do about the certificate for the server.
func (d *Daemon) certRemedy() string {
	for _, c := range d.Certificates() {
		if c.For == "server" {
			return clientcert.Remedy(c.File)
		}
	}
	return clientcert.Remedy("")
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (d *Daemon) store(st Store, s engine.Snapshot, progress map[string]engine.Progress) control.Store {
	c, p := st.Replica.Counts(), progress[st.Replica.Local()]
	compared, _ := d.Verifier.Outcome(st.Replica.Name())
	return control.Store{
		Compared: timeOrNil(compared.At), Differ: compared.Differ, Differing: compared.Items,
		Name: st.Replica.Name(), Kind: st.Kind, Dir: st.Dir, Items: c.Items, Pending: c.Pending, Problems: c.Problems,
		Oldest: timeOrNil(st.Replica.Since()), Unavailable: s.Unavailable[st.Replica.Local()], Polled: s.Polled[st.Replica.Local()], Change: d.History.change(st.Replica.Name()),
		Sent: p.Sent, Received: p.Received, Total: p.Total, Held: st.Replica.Held().Here + st.Replica.Held().There,
	}
}

// sums are over all stores.
type sums struct {
	waiting, problems int
	unreadable, held  []string // names
	differ            []string // stores that were not equal when they were compared last
	stuck             bool     // a slow sync has not helped
}

// summary is the state as one sentence, and what the user can do about it.
func summary(s engine.Snapshot, sum sums) (sentence, advice string) {
	r, waiting := s.Session, sum.waiting
	switch r.State {
	case session.Off:
		if r.Refused {
			return "Always-On is off, and the server refused the credentials", "alwayson login"
		}
		return "Always-On is off" + wait(waiting), "alwayson on"
	case session.Idle:
		return idleSummary(sum)
	case session.Syncing:
		return "syncing (" + string(s.Running) + ")", ""
	case session.Opening:
		if s.Running != "" {
			return "opening a session (" + string(s.Running) + ")", ""
		}
		return "no session open; the next change opens one" + wait(waiting), "alwayson session open"
	case session.Retrying:
		return fmt.Sprintf("the server cannot be reached since %s; it is tried again by itself%s", r.FailedSince.Format(time.TimeOnly), wait(waiting)), ""
	case session.Lost:
		return fmt.Sprintf("the connection is lost since %s; it comes back by itself%s", r.FailedSince.Format(time.TimeOnly), wait(waiting)), ""
	case session.Paused:
		if r.Refused {
			return pausedSummary(r, waiting), "alwayson login"
		}
		return pausedSummary(r, waiting), "alwayson resume"
	case session.Held:
		return "the server refused the credentials; nothing is lost" + wait(waiting), "alwayson login"
	}
	return strings.TrimSpace(string(r.State) + " " + r.Reason), ""
}

// idleSummary does not say "in sync" of what is not.
func idleSummary(sum sums) (sentence, advice string) {
	switch {
	case len(sum.unreadable) > 0:
		return strings.Join(sum.unreadable, ", ") + " cannot be read; nothing is deleted for it, everything else is in sync" + wait(sum.waiting), ""
	case len(sum.held) > 0:
		return "many deletions of " + strings.Join(sum.held, ", ") + " are held until you have looked at them; everything else is in sync", "alwayson hold list"
	case len(sum.differ) > 0 && sum.stuck:
		return strings.Join(sum.differ, ", ") + " differs from the server, and a slow sync has not helped" + wait(sum.waiting), "alwayson verify"
	case len(sum.differ) > 0:
		return strings.Join(sum.differ, ", ") + " differs from the server; the next exchange repairs it, and deletes nothing" + wait(sum.waiting), ""
	case sum.waiting > 0:
		return "session open" + wait(sum.waiting), ""
	case sum.problems == 1:
		return "in sync but for 1 item", "alwayson pending"
	case sum.problems > 1:
		return fmt.Sprintf("in sync but for %d items", sum.problems), "alwayson pending"
	}
	return "in sync", ""
}

func wait(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "; 1 change waits"
	}
	return fmt.Sprintf("; %d changes wait", n)
}
