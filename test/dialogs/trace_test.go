// Package dialogs replays conversations that others have recorded, SyncEvolution with itself and phones with their servers, against our
// two ends: the same messages must lead to the same decisions.
package dialogs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// turn is one request and its answer, which is nil where it was lost.
type turn struct {
	request, answer *syncml.Message
	enc             syncml.Encoding
}

// trace is one recorded conversation.
type trace struct {
	name  string
	turns []turn
}

// traces are all recorded conversations of SyncEvolution that have a client's message.
func traces(t *testing.T) (out []trace) {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(pimtest.Shared(t, "traces"), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		tr := trace{name: filepath.Base(dir)}
		for n := 1; ; n++ {
			request, enc := message(t, dir, n, "client")
			if request == nil {
				break
			}
			answer, _ := message(t, dir, n, "server")
			tr.turns = append(tr.turns, turn{request, answer, enc})
		}
		if len(tr.turns) > 0 {
			out = append(out, tr)
		}
	}
	return out
}

// message reads one side's nth message, nil if there is none.
func message(t *testing.T, dir string, n int, side string) (*syncml.Message, syncml.Encoding) {
	t.Helper()
	for _, f := range []struct {
		ext string
		enc syncml.Encoding
	}{{"wbxml", syncml.WBXML}, {"xml", syncml.XML}} {
		body, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%02d-%s.%s", n, side, f.ext)))
		if err != nil || len(body) == 0 {
			continue
		}
		m, err := syncml.Decode(body, f.enc)
		if err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		return m, f.enc
	}
	return nil, 0
}

// decisions are what a conversation comes to, one line each, sorted: how commands were answered, and which changes were sent.
type decisions map[string]string

func (d decisions) lines() []string {
	var out []string
	for k, v := range d {
		out = append(out, k+" → "+v)
	}
	slices.Sort(out)
	return out
}

// command names a command within a conversation by what it is about: ids of messages differ from peer to peer.
type command struct{ name, about string }

func (c command) String() string { return strings.TrimSpace(c.name + " " + c.about) }

// commands are those of a message by their CmdID, with those inside Sync.
func commands(m *syncml.Message) map[string]command {
	out := map[string]command{"0": {"SyncHdr", ""}}
	for _, c := range m.Commands {
		switch c := c.(type) {
		case *syncml.Alert:
			for i := range c.Items {
				out[c.ID] = command{"Alert", bare(uri(c.Items[i].Target) + uri(c.Items[i].Source))}
			}
		case *syncml.Sync:
			out[c.ID] = command{"Sync", bare(c.Target.URI + c.Source.URI)}
			for _, inner := range c.Commands {
				if ch, ok := inner.(*syncml.Change); ok {
					out[ch.ID] = command{ch.Op.String(), of(ch)}
				}
			}
		case *syncml.Map:
			out[c.ID] = command{"Map", bare(c.Target.URI + c.Source.URI)}
		case *syncml.Status:
		default:
			out[c.CommandID()] = command{c.CommandName(), ""}
		}
	}
	return out
}

// bare is a datastore without what peers put before its name, whichever side names it first.
func bare(uri string) string {
	for _, name := range []string{"addressbook", "calendar", "todo", "memo", "contacts", "tasks"} {
		if strings.Contains(uri, name) {
			return name
		}
	}
	return uri
}

// of is the id of the item of a change.
func of(c *syncml.Change) string {
	if len(c.Items) == 0 {
		return ""
	}
	return uri(c.Items[0].Target) + uri(c.Items[0].Source)
}

func uri(l *syncml.Location) string {
	if l == nil {
		return ""
	}
	return l.URI
}

// changes are the changes in a message, with the datastore each is in.
func changes(m *syncml.Message, fn func(store string, c *syncml.Change)) {
	if m == nil {
		return
	}
	for _, c := range m.Commands {
		if s, ok := c.(*syncml.Sync); ok {
			for _, inner := range s.Commands {
				if ch, ok := inner.(*syncml.Change); ok && len(ch.Items) > 0 {
					fn(bare(s.Target.URI+s.Source.URI), ch)
				}
			}
		}
	}
}

func statuses(m *syncml.Message) (out []*syncml.Status) {
	if m == nil {
		return nil
	}
	for _, c := range m.Commands {
		if s, ok := c.(*syncml.Status); ok {
			out = append(out, s)
		}
	}
	return out
}
