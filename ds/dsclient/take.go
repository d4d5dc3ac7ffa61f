package dsclient

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// command takes one command of the server.
func (e *exchange) command(ctx context.Context, m *syncml.Message, c syncml.Command) error {
	switch c := c.(type) {
	case *syncml.Status:
		return e.takeStatus(c)
	case *syncml.Alert:
		return e.takeAlert(m, c)
	case *syncml.Sync:
		e.takeSync(m, c)
	case *syncml.Get:
		e.answerGet(m, c)
	case *syncml.Put:
		e.takeDevInf(c.Items)
		e.answer(m, c, ds.StatusOK)
	case *syncml.Results:
		e.takeDevInf(c.Items)
		e.takeResults(c.Items)
		e.answer(m, c, ds.StatusOK)
	default:
		e.answer(m, c, ds.StatusNotAllowed)
	}
	return nil
}

func (e *exchange) answer(m *syncml.Message, c syncml.Command, code ds.Status) *syncml.Status {
	st := &syncml.Status{MsgRef: m.Header.MsgID, CmdRef: c.CommandID(), Cmd: c.CommandName(), Code: code}
	e.queue = append(e.queue, st)
	return st
}

func (e *exchange) takeDevInf(items []syncml.Item) {
	for _, it := range items {
		if it.Data == nil || it.Data.DevInf == nil {
			continue
		}
		e.aware = e.aware || wire.AlwaysOn(it.Data.DevInf)
		e.peer = it.Data.DevInf
		for _, st := range e.stores {
			st.form = nil
		}
		if doc, err := syncml.EncodeDevInf(it.Data.DevInf, syncml.XML); err == nil {
			e.report.DevInf = doc
		}
	}
}

// takeResults takes answers to what was asked for.
func (e *exchange) takeResults(items []syncml.Item) {
	for _, it := range items {
		if it.Data == nil || it.Data.DevInf != nil {
			continue
		}
		if e.report.Answers == nil {
			e.report.Answers = map[string]string{}
		}
		e.report.Answers[wire.URI(it.Source)] = string(it.Data.Bytes)
	}
}

func (e *exchange) answerGet(m *syncml.Message, c *syncml.Get) {
	e.answer(m, c, ds.StatusOK)
	typ := "application/vnd.syncml-devinf+wbxml"
	if e.Encoding == syncml.XML {
		typ = "application/vnd.syncml-devinf+xml"
	}
	e.results = append(e.results, &syncml.Results{MsgRef: m.Header.MsgID, CmdRef: c.ID, Meta: syncml.Meta{Type: typ},
		Items: []syncml.Item{{Source: &syncml.Location{URI: wire.DevInfURI}, Data: &syncml.Data{DevInf: e.devInf(e.stores)}}}})
}

// takeStatus takes the server's answer to one of our commands.
func (e *exchange) takeStatus(s *syncml.Status) error {
	switch {
	case e.asking != "" && s.MsgRef == e.asking && s.CmdRef != "0":
		return e.takeResultStatus(s)
	case s.CmdRef == "0" || s.Cmd == "SyncHdr":
		return e.takeHeaderStatus(s)
	case s.Cmd == "Alert":
		return e.takeAlertStatus(s)
	}
	key := ref{s.MsgRef, s.CmdRef}
	sent, ok := e.sent[key]
	if !ok {
		return nil
	}
	delete(e.sent, key)
	return e.takeAnswer(sent, s)
}

func (e *exchange) takeAnswer(sent sentChange, s *syncml.Status) error {
	switch {
	case sent.isMap != nil:
		if !s.Code.OK() {
			return nil // it goes first in the next exchange
		}
		return sent.st.MapsConfirmed(sent.isMap)
	case sent.st.failed:
		return nil // the datastore was not opened: a 404 says nothing about the item
	case s.Code == ds.StatusRefreshRequired:
		return nil // the anchors did not match: it goes out again in the slow sync
	case sent.more && s.Code.OK():
		return nil
	case sent.more && e.out != nil && e.out.change.LUID == sent.change.LUID:
		e.out = nil // the server does not want the rest
	}
	sent.st.acks = append(sent.st.acks, Ack{Change: sent.change, Status: s.Code, Text: statusText(s)})
	return nil
}

func statusText(s *syncml.Status) string {
	for _, it := range s.Items {
		if it.Data != nil && len(it.Data.Bytes) > 0 {
			return string(it.Data.Bytes)
		}
	}
	return ""
}

// takeHeaderStatus is about credentials, or about the whole message.
func (e *exchange) takeHeaderStatus(s *syncml.Status) error {
	if s.Chal != nil && s.Chal.NextNonce != "" {
		e.report.NextNonce = s.Chal.NextNonce
	}
	switch s.Code {
	case ds.StatusAuthenticated:
		e.authOK = true
	case ds.StatusOK:
		e.authOK, e.each = true, !e.authOK || e.each
	case ds.StatusInvalidCred, ds.StatusCredMissing:
		return e.refused(s)
	default:
		if !s.Code.OK() {
			return fmt.Errorf("server answered %w", s.Code)
		}
	}
	return nil
}

// refused tells a stale nonce from wrong and from aged credentials. Only a server that keeps the session says held, and
// one that gives no new nonce wants no second attempt with the same credentials (A8).
func (e *exchange) refused(s *syncml.Status) error {
	if !e.credSent {
		// No verdict on credentials, which it has not seen: a server that was restarted in the middle of the exchange (found by killing
		// servers at random). The next exchange brings them.
		return &TransportError{errors.New("the server has forgotten the exchange")}
	}
	auth := &AuthError{Status: s.Code, Held: s.Code == ds.StatusCredMissing && e.opened.Verb == wire.Held}
	if e.authOK || e.Basic || s.Chal == nil || s.Chal.NextNonce == "" || s.Chal.NextNonce == e.nonce {
		return auth
	}
	return &challenge{auth: auth, nonce: s.Chal.NextNonce}
}

// takeAlertStatus tells how the server takes our anchors.
func (e *exchange) takeAlertStatus(s *syncml.Status) error {
	for _, st := range e.stores {
		if !mentions(s.SourceRefs, st.Local()) && !mentions(s.TargetRefs, st.Remote()) {
			continue
		}
		st.status = s.Code
		st.takeFilter(s.Code)
		switch {
		case st.want == ds.AlertResume:
			st.resumed = s.Code.OK() // if not, the server's Alert says what instead: a slow sync or a normal one
			st.failed = !st.resumed && s.Code != ds.StatusRefreshRequired && s.Code != ds.StatusCannotResume
		case s.Code == ds.StatusRefreshRequired:
			st.slow(e)
		case s.Code == ds.StatusConflict && anchorIn(s) != "":
			// The server knows an anchor of ours which was never saved, and the clock was set back since: the next one is later.
			st.failed, st.anchors.LocalNext, e.behind = true, anchorIn(s), true
			return st.SetAnchors(st.anchors)
		case !s.Code.OK():
			st.failed = true
		}
	}
	return nil
}

// anchorIn is the anchor that a Status has, "" if none.
func anchorIn(s *syncml.Status) string {
	for _, it := range s.Items {
		if it.Data != nil && it.Data.Anchor != nil {
			return it.Data.Anchor.Next
		}
	}
	return ""
}

func mentions(refs []string, uri string) bool {
	for _, r := range refs {
		if strings.TrimPrefix(r, "./") == strings.TrimPrefix(uri, "./") {
			return true
		}
	}
	return false
}

// slow begins the datastore anew as a slow sync. What was sent in this message was refused and goes again.
func (st *storeExchange) slow(e *exchange) {
	st.alert = ds.AlertSlow
	if st.pull != nil {
		st.pull.stop()
		st.pull = nil
	}
	if e.out != nil && e.out.st == st {
		e.out = nil
	}
	st.sentAll, st.opened, st.acks = false, false, nil
}

// takeAlert takes the server's anchors and the sync type it decided on.
func (e *exchange) takeAlert(m *syncml.Message, c *syncml.Alert) error {
	if !c.Code.IsSync() {
		code := ds.StatusOK
		if c.Code != ds.AlertNextMessage && c.Code != ds.AlertNoEndOfData && c.Code != ds.AlertDisplay {
			code = ds.StatusUnsupported
		}
		e.answer(m, c, code)
		return nil
	}
	for _, it := range c.Items {
		st := e.byURI(wire.URI(it.Target), wire.URI(it.Source))
		if st == nil {
			e.answer(m, c, ds.StatusNotFound)
			continue
		}
		if it.Target != nil {
			if f, ok := wire.FindFilter(it.Target.Filter); ok {
				st.known = &f
			}
		}
		if e.req.Purpose == Preview {
			continue
		}
		if err := e.openStore(m, c, &it, st); err != nil {
			return err
		}
	}
	return nil
}

func (e *exchange) openStore(m *syncml.Message, c *syncml.Alert, it *syncml.Item, st *storeExchange) error {
	a := it.Meta.Anchor
	if a == nil {
		a = &ds.Anchors{}
	}
	code := ds.StatusOK
	switch {
	case st.failed:
		return nil
	case !st.want.FromServer() && c.Code.FromServer() && c.Code != ds.AlertSlow && c.Code != st.want:
		st.failed, st.status, code = true, ds.StatusForbidden, ds.StatusForbidden // it would write where only sending was asked for (protocol.md C.5)
	case st.want == ds.AlertResume && !st.resumed && c.Code == ds.AlertTwoWay:
		st.alert = ds.AlertTwoWay
	case c.Code == ds.AlertSlow && st.alert != ds.AlertSlow:
		st.slow(e)
	case st.alert.NeedsAnchors() && a.Last != "" && st.anchors.Remote != "" && a.Last != st.anchors.Remote && a.Last != st.anchors.RemoteNext:
		code = ds.StatusRefreshRequired // the server was set back, e.g. to a backup
		st.slow(e)
	}
	status := e.answer(m, c, code)
	status.TargetRefs, status.SourceRefs = []string{wire.URI(it.Target)}, []string{wire.URI(it.Source)}
	status.Items = []syncml.Item{{Data: &syncml.Data{Anchor: &ds.Anchors{Next: a.Next}}}}
	e.takeKept(st)
	st.anchors.Partial = e.in != nil && e.in.st == st
	st.anchors.Running, st.anchors.Plain = st.alert, !e.aware
	return st.remember(a)
}

// remember makes the anchors of this exchange durable before anything depends on them. When the server knew the Next of a
// first sync that was cut off, that is where we stand.
func (st *storeExchange) remember(a *ds.Anchors) error {
	st.anchors.Remote, st.anchors.RemoteNext = a.Last, a.Next
	st.anchors.LocalNext, st.anchors.Ceiling = st.next, ceiling(st.next)
	if st.alert == ds.AlertSlow {
		st.anchors.Local, st.anchors.Slow = "", false
	} else if st.anchors.Local == "" {
		st.anchors.Local = st.presented
	}
	return st.SetAnchors(st.anchors)
}

func (e *exchange) byURI(local, remote string) *storeExchange {
	for _, st := range e.stores {
		if mentions([]string{local}, st.Local()) || local == "" && mentions([]string{remote}, st.Remote()) {
			return st
		}
	}
	return nil
}

// settle makes durable the server's changes, after its answers to us: an item with an edit that it has not confirmed is left alone. If there
// are none, the answers have time until the next message is under way: what is not recorded would just be sent again.
func (e *exchange) settle(ctx context.Context) error {
	for _, st := range e.stores {
		if len(st.incoming) == 0 {
			continue
		}
		if err := e.acknowledge(ctx, st); err != nil {
			return err
		}
		if err := e.apply(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

func (e *exchange) acknowledgeAll(ctx context.Context) error {
	for _, st := range e.stores {
		if err := e.acknowledge(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

func (e *exchange) acknowledge(ctx context.Context, st *storeExchange) error {
	if len(st.acks) == 0 {
		return nil
	}
	if err := st.Acknowledge(ctx, st.acks); err != nil {
		return fmt.Errorf("cannot record what the server took of %s: %w", st.Local(), err)
	}
	for _, a := range st.acks {
		if a.Status.OK() {
			st.counts.sent++
		} else {
			st.counts.failed++
		}
	}
	st.acks = nil
	e.progress(st)
	return nil
}

func (e *exchange) apply(ctx context.Context, st *storeExchange) error {
	results, err := st.Apply(ctx, st.incoming)
	if err != nil {
		return fmt.Errorf("cannot store changes of %s: %w", st.Local(), err)
	}
	for i, res := range results {
		st.answers[i].Code = res.Status
		if !res.Status.OK() {
			st.counts.failed++
			continue
		}
		st.counts.received++
		if c := st.incoming[i]; c.Op == Add && res.LUID != "" {
			st.added = append(st.added, MapEntry{GUID: c.GUID, LUID: res.LUID})
		}
	}
	st.incoming, st.answers = nil, nil
	e.progress(st)
	return nil
}

func (e *exchange) progress(st *storeExchange) {
	if e.Progress != nil {
		e.Progress(st.Local(), st.counts.sent, st.counts.received, st.total)
	}
}
