package dialogs

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// phoneSessions are the sessions of a recorded phone, one after the other, with a server of another house.
func phoneSessions(t *testing.T, dir string) (out []trace) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "syncml_client_*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	for _, path := range files {
		session := filepath.Base(dir) + " " + strings.TrimPrefix(filepath.Base(path), "syncml_client_")[:1]
		if len(out) == 0 || out[len(out)-1].name != session {
			out = append(out, trace{name: session})
		}
		tr := &out[len(out)-1]
		tr.turns = append(tr.turns, turn{phoneMessage(t, path), phoneMessage(t, strings.Replace(path, "client", "server", 1)), syncml.XML})
	}
	return out
}

func phoneMessage(t *testing.T, path string) *syncml.Message {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := syncml.Decode(body, syncml.XML)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return m
}

// TestPhones plays recorded sessions of phones of 2006, which know vCard 2.1 and vCalendar 1.0, against our server: what it adds, changes
// and deletes on its side between the sessions is what the recorded one did.
func TestPhones(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(pimtest.Shared(t, "corpus", "syncml-xml", "horde"), "testcase_*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			for _, tr := range phoneSessions(t, dir) {
				s.enrol(tr.turns[0].request.Header.Source.URI)
				s.between(tr)
				s.got, s.refs, s.used = decisions{}, map[string][]ref{}, map[string]int{}
				s.playAll(tr)
				s.inSIF(strings.Contains(tr.name, "_sync4j_") || strings.Contains(tr.name, "_funambol_"))
				want := wanted(tr)
				maps.DeleteFunc(s.got, func(k, _ string) bool { return want[k] == "" && strings.HasPrefix(k, "client's") }) // it answers not all
				if d := cmp.Diff(want.lines(), s.got.lines()); d != "" {
					t.Errorf("%s (-recorded +ours):\n%s", tr.name, d)
				}
			}
		})
	}
}

// inSIF checks that the last session gave the phone items in SIF, or not. What such a phone takes, only what it sends tells.
func (s *server) inSIF(want bool) {
	s.t.Helper()
	for id, f := range s.forms {
		if got := strings.HasPrefix(f, "text/x-s4j-") && strings.HasSuffix(f, " b64"); got != want {
			s.t.Errorf("%s went out as %q", id, f)
		}
	}
}

// enrol lets a phone in by the name that it gives itself.
func (s *server) enrol(id string) {
	s.device = id
	s.update(func(tx dsstore.Tx) error {
		_, err := tx.Device(id)
		if errors.Is(err, dsstore.ErrNotFound) {
			err = tx.PutDevice(dsstore.Device{ID: id, User: user, Credential: syncml.Credential(user, "test")})
		}
		return err
	})
}

// between makes the changes that the recorded server sends in a session.
func (s *server) between(tr trace) {
	seen := map[string]bool{}
	for _, tn := range tr.turns {
		changes(tn.answer, func(store string, c *syncml.Change) {
			id := of(c)
			if seen[id] {
				return
			}
			seen[id] = true
			guid := s.guid(store, id)
			switch c.Op {
			case syncml.OpAdd:
				s.putAs(store, id, c.Meta.Type+c.Items[0].Meta.Type, whole(tr, id))
			case syncml.OpReplace:
				s.putAs(store, guid, c.Meta.Type+c.Items[0].Meta.Type, whole(tr, id))
			case syncml.OpDelete:
				if err := s.server.Remove(s.t.Context(), collection(store), guid); err != nil {
					s.t.Fatal(err)
				}
			}
		})
	}
}

// guid is our id of an item of the phone.
func (s *server) guid(store, luid string) (guid string) {
	s.update(func(tx dsstore.Tx) error {
		m, err := tx.ByLUID(s.device, collection(store), luid)
		guid = m.GUID
		if errors.Is(err, dsstore.ErrNotFound) {
			err = nil
		}
		return err
	})
	return guid
}
