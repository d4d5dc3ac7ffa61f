package dialogs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// memory is a local store that has the changes of the recorded client.
type memory struct {
	name    string
	kind    pim.Kind
	anchors dsclient.AnchorState
	changes []dsclient.Change
	maps    []dsclient.MapEntry
	has     map[string]bool   // LUIDs
	luids   map[string]string // that the recorded client gave, by GUID
}

func (m *memory) Local() string                           { return "./" + m.name }
func (m *memory) Remote() string                          { return m.name }
func (m *memory) Kind() pim.Kind                          { return m.kind }
func (m *memory) Anchors() (dsclient.AnchorState, error)  { return m.anchors, nil }
func (m *memory) SetAnchors(a dsclient.AnchorState) error { m.anchors = a; return nil }
func (m *memory) Count(bool) (int, error)                 { return len(m.changes), nil }

func (m *memory) Changes(_ context.Context, all bool) iter.Seq2[dsclient.Change, error] {
	list := slices.Clone(m.changes)
	return func(yield func(dsclient.Change, error) bool) {
		for _, c := range list {
			if all && c.Op == dsclient.Replace {
				c.Op = dsclient.Add // as our stores do in a slow sync
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

func (m *memory) Acknowledge(_ context.Context, acks []dsclient.Ack) error {
	for _, a := range acks {
		m.changes = slices.DeleteFunc(m.changes, func(c dsclient.Change) bool { return c.LUID == a.Change.LUID })
	}
	return nil
}

func (m *memory) Apply(_ context.Context, changes []dsclient.Change) (out []dsclient.Result, err error) {
	for _, c := range changes {
		r := dsclient.Result{LUID: c.LUID, Status: ds.StatusOK}
		switch {
		case c.Op == dsclient.Add:
			r = dsclient.Result{LUID: m.luids[c.GUID], Status: ds.StatusAdded}
			m.maps = append(m.maps, dsclient.MapEntry{GUID: c.GUID, LUID: r.LUID})
		case !m.has[c.LUID]:
			r.Status = ds.StatusNotFound
		}
		out = append(out, r)
	}
	return out, nil
}

func (m *memory) PendingMaps() ([]dsclient.MapEntry, error) { return m.maps, nil }

func (m *memory) MapsConfirmed(done []dsclient.MapEntry) error {
	m.maps = slices.DeleteFunc(m.maps, func(e dsclient.MapEntry) bool { return slices.Contains(done, e) })
	return nil
}

func (m *memory) Restart(context.Context, bool) error { return nil }
func (m *memory) Refresh(context.Context) error       { return nil }
func (m *memory) FinishRefresh(context.Context) error { return nil }

// player is the recorded server.
type player struct {
	t     *testing.T
	turns []turn
	refs  map[string][]ref // our client's commands by what they are
	used  map[string]int
	late  []*syncml.Status // of commands that our client has not sent yet
	got   decisions
	asked map[string]command // the recorded server's commands by message and id
}

// RoundTrip implements dsclient.Transport: the answer that was recorded, made one to our client's message.
func (p *player) RoundTrip(_ context.Context, _ string, body []byte, enc syncml.Encoding) ([]byte, error) {
	m, err := syncml.Decode(body, enc)
	if err != nil {
		return nil, err
	}
	for id, c := range commands(m) {
		p.refs[c.String()] = append(p.refs[c.String()], ref{m.Header.MsgID, id})
	}
	p.note(m)
	answer := &syncml.Message{Header: m.Header, Final: true}
	if len(p.turns) > 0 {
		tn := p.turns[0]
		p.turns = p.turns[1:]
		if tn.answer == nil {
			p.turns = nil
			return nil, errors.New("connection lost")
		}
		answer = p.adapt(m, tn.answer)
	}
	p.release(m, answer)
	return syncml.Encode(answer, enc)
}

// adapt is a recorded answer to our message.
func (p *player) adapt(m, recorded *syncml.Message) *syncml.Message {
	answer := *recorded
	answer.Header.SessionID, answer.Commands = m.Header.SessionID, nil
	for _, c := range recorded.Commands {
		if st, ok := c.(*syncml.Status); ok {
			p.late = append(p.late, st)
			continue
		}
		answer.Commands = append(answer.Commands, c)
	}
	for id, c := range commands(recorded) {
		p.asked[recorded.Header.MsgID+" "+id] = c
	}
	return &answer
}

// release adds the Statuses of commands that our client has sent by now.
func (p *player) release(m, answer *syncml.Message) {
	var now []syncml.Command
	p.late = slices.DeleteFunc(p.late, func(st *syncml.Status) bool {
		moved := *st
		about := strings.Join(st.TargetRefs, "") + strings.Join(st.SourceRefs, "")
		switch st.Cmd {
		case "SyncHdr", "Put", "Get", "Results":
			about = ""
		case "Alert", "Sync", "Map":
			about = bare(about)
		}
		if st.Code == ds.StatusInvalidCred && st.Cmd != "SyncHdr" {
			return true // they say nothing more
		}
		key := command{st.Cmd, about}.String()
		if st.Cmd == "Replace" && len(p.refs[key]) == 0 {
			key = command{"Add", about}.String()
		}
		list := p.refs[key]
		if p.used[key] >= len(list) {
			return st.Cmd == "SyncHdr"
		}
		moved.MsgRef, moved.CmdRef = list[p.used[key]].msg, list[p.used[key]].cmd
		p.used[key]++
		now = append(now, &moved)
		return false
	})
	p.late = slices.DeleteFunc(p.late, func(st *syncml.Status) bool {
		return slices.ContainsFunc(now, func(c syncml.Command) bool { return same(c.(*syncml.Status), st) })
	})
	answer.Commands = append(now, answer.Commands...)
	_ = m
}

func same(a, b *syncml.Status) bool {
	return a.Cmd == b.Cmd && a.ID == b.ID && slices.Equal(a.TargetRefs, b.TargetRefs) && slices.Equal(a.SourceRefs, b.SourceRefs)
}

// note adds what our client says.
func (p *player) note(m *syncml.Message) {
	clientSays(p.got, m, func(st *syncml.Status) (command, bool) {
		c, ok := p.asked[st.MsgRef+" "+st.CmdRef]
		return c, ok
	})
}

// clientSays adds what a client decides: sync types, changes, how it answers the server's changes, and its Maps.
func clientSays(d decisions, m *syncml.Message, find func(*syncml.Status) (command, bool)) {
	for _, c := range m.Commands {
		switch c := c.(type) {
		case *syncml.Alert:
			if c.Code.IsSync() || c.Code == ds.AlertResume {
				d["client's Alert "+bare(uri(c.Items[0].Target))] = fmt.Sprint(int(c.Code))
			}
		case *syncml.Map:
			for _, it := range c.Items {
				d["client's Map "+it.Target] = "sent"
			}
		case *syncml.Status:
			asked, ok := find(c)
			if ok && c.Code != ds.StatusChunk && (asked.name == "Add" || asked.name == "Replace" || asked.name == "Delete" || asked.name == "Alert") {
				if asked.name == "Add" && c.Code.OK() {
					c.Code = ds.StatusAdded // SyncEvolution says 200 where it finds the item there already
				}
				d["client's answer to "+asked.String()] = c.Code.Error()
			}
		}
	}
	changes(m, func(_ string, c *syncml.Change) {
		name := c.Op.String()
		if c.Op == syncml.OpReplace || c.Op == syncml.OpAdd {
			name = "item" // in a slow sync, either will do
		}
		d["client's "+name+" "+of(c)] = "sent"
	})
}

// recordedClient is what the recorded client decided.
func recordedClient(tr trace) decisions {
	d, asked := decisions{}, map[string]command{}
	for _, tn := range tr.turns {
		clientSays(d, tn.request, func(st *syncml.Status) (command, bool) {
			c, ok := asked[st.MsgRef+" "+st.CmdRef]
			return c, ok
		})
		if tn.answer != nil {
			for id, c := range commands(tn.answer) {
				asked[tn.answer.Header.MsgID+" "+id] = c
			}
		}
	}
	return d
}

// device of the recorded client: its stores, and how it begins.
func recordedDevice(tr trace) (stores []*memory, types map[string]ds.Alert) {
	byName, types := map[string]*memory{}, map[string]ds.Alert{}
	for _, tn := range tr.turns {
		for _, c := range tn.request.Commands {
			a, ok := c.(*syncml.Alert)
			if !ok || !a.Code.IsSync() && a.Code != ds.AlertResume || a.Items[0].Meta.Anchor == nil {
				continue
			}
			name := bare(uri(a.Items[0].Target))
			if byName[name] == nil {
				byName[name] = newMemory(name)
				byName[name].anchors.Local = a.Items[0].Meta.Anchor.Last
				stores = append(stores, byName[name])
				types[name] = a.Code
			}
		}
		changes(tn.request, func(store string, c *syncml.Change) { byName[store].wrote(c) })
		changes(tn.answer, func(store string, c *syncml.Change) {
			if c.Op != syncml.OpAdd {
				byName[store].has[of(c)] = true
			}
		})
		for _, c := range tn.request.Commands {
			if m, ok := c.(*syncml.Map); ok {
				for _, it := range m.Items {
					byName[bare(m.Target.URI+m.Source.URI)].luids[it.Target] = it.Source
				}
			}
		}
		recordedAnchors(tn, byName)
	}
	return stores, types
}

func newMemory(name string) *memory {
	m := &memory{name: name, has: map[string]bool{}, luids: map[string]string{}, kind: pim.Contacts}
	for _, d := range stores {
		if d.URI == name {
			m.kind = d.Kind
		}
	}
	return m
}

// recordedAnchors makes the client know the server's anchor if the recorded one was content with it.
func recordedAnchors(tn turn, byName map[string]*memory) {
	if tn.answer == nil {
		return
	}
	for _, c := range tn.answer.Commands {
		if a, ok := c.(*syncml.Alert); ok && len(a.Items) > 0 && a.Items[0].Meta.Anchor != nil {
			if m := byName[bare(uri(a.Items[0].Source))]; m != nil && m.anchors.Remote == "" {
				m.anchors.Remote = a.Items[0].Meta.Anchor.Last
			}
		}
	}
}

// wrote adds a change of the recorded client, chunks put together.
func (m *memory) wrote(c *syncml.Change) {
	luid := of(c)
	var data []byte
	if c.Items[0].Data != nil {
		data = c.Items[0].Data.Bytes
	}
	if n := len(m.changes); n > 0 && m.changes[n-1].LUID == luid {
		m.changes[n-1].Item.Body = append(m.changes[n-1].Item.Body, data...)
		return
	}
	op := map[syncml.Op]dsclient.Op{syncml.OpAdd: dsclient.Add, syncml.OpReplace: dsclient.Replace, syncml.OpDelete: dsclient.Delete}[c.Op]
	for _, known := range m.changes {
		if known.LUID == luid {
			return // sent again
		}
	}
	m.changes = append(m.changes, dsclient.Change{Op: op, LUID: luid, Item: pim.Item{Type: m.kind.ContentType(), Body: slices.Clone(data)}})
}

// notOurs are conversations in which the recorded client does what ours never does, with the reason.
var notOurs = map[string]string{
	"suspend-by-client-xml": "the user of the recorded client suspends; ours is just cut off", "suspend-by-client-wbxml": "likewise",
	"suspend-by-client-xml-then-resume": "likewise", "suspend-by-client-wbxml-then-resume": "likewise",
	"alert222-loop-guard-400-wbxml": "the server is kept busy by hand", "keepalive-alert222-ok-wbxml": "likewise",
	"vcard21-vcal10-xml": "the recorded client sends old forms; ours sends what its files are",
	"syncml-1.0-wbxml":   "our client speaks 1.2", "syncml-1.1-wbxml": "our client speaks 1.2",
	"object-too-big-xml": "the recorded client holds the item back without a word; ours is told by the server and says so",
}

// TestClient plays the recorded servers against our client.
func TestClient(t *testing.T) {
	byName := map[string]trace{}
	for _, tr := range traces(t) {
		byName[tr.name] = tr
	}
	for name, tr := range byName {
		if notOurs[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept := &dsclient.Kept{}
			if before, ok := byName[after[name]]; ok {
				playClient(t, before, kept)
			}
			p := playClient(t, tr, kept)
			want := recordedClient(tr)
			if strings.HasPrefix(name, "connection-lost") { // its last message may hold an item more
				maps.DeleteFunc(want, func(k, _ string) bool { return p.got[k] == "" && strings.HasPrefix(k, "client's item") })
			}
			if d := cmp.Diff(want.lines(), p.got.lines()); d != "" {
				t.Errorf("(-recorded +ours):\n%s", d)
			}
		})
	}
}

// repeats tells whether the recorded client sends the same message again.
func repeats(tn, before turn) bool {
	a, b := tn.request.Header, before.request.Header
	return a.MsgID == b.MsgID && a.SessionID == b.SessionID
}

func playClient(t *testing.T, tr trace, kept *dsclient.Kept) *player {
	t.Helper()
	p := &player{t: t, refs: map[string][]ref{}, used: map[string]int{}, got: decisions{}, asked: map[string]command{}}
	for i, tn := range tr.turns {
		if i == 0 || !repeats(tn, tr.turns[i-1]) { // ours does not repeat itself: nothing is lost here
			p.turns = append(p.turns, tn)
		}
	}
	stores, types := recordedDevice(tr)
	c := &dsclient.Client{Transport: p, URL: "http://server", DeviceID: device, User: user, Secret: "test", Encoding: tr.turns[0].enc, Kept: kept}
	if h := tr.turns[0].request.Header; h.Meta.MaxMsgSize > 0 {
		c.MaxMsgSize = int(h.Meta.MaxMsgSize)
	}
	req := dsclient.Request{Purpose: dsclient.Sync}
	for _, m := range stores {
		alert := types[m.name]
		if alert == ds.AlertResume {
			m.anchors.Running, m.anchors.Plain, alert = ds.AlertTwoWay, true, ds.AlertTwoWay
		}
		req.Stores = append(req.Stores, dsclient.StoreRequest{Store: m, Alert: alert})
	}
	_, err := c.Run(t.Context(), req)
	t.Log("outcome:", err)
	return p
}
