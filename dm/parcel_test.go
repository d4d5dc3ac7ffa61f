package dm_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/dmserver"
	"github.com/alwayson-sync/alwayson/dm/packet"
)

// Dialogs about groups that fit into no message.

// bundle is an Atomic of a large text, octets and small values, with one more member.
func bundle(text string, last dmserver.Work) dmserver.Work {
	return dmserver.Work{ID: "bundle", Op: dmserver.Atomic, Members: []dmserver.Work{replace("host", "./Set/Host", "b.example"),
		{ID: "note", Op: dmserver.Replace, URI: "./Set/Note", Value: chr(text)}, {ID: "account", Op: dmserver.Add, URI: "./DMAcc/a/Name", Value: chr("n")},
		{ID: "nonce", Op: dmserver.Add, URI: "./DMAcc/a/Nonce", Value: dm.Value{Format: dm.FormatBin, Data: octets(9000)}}, last}}
}

// changed tells which of what a bundle changes is changed, and whether the large ones are what they should be.
func (w *world) changed(text string) string {
	w.t.Helper()
	out := w.value("./Set/Host") + " " + w.value("./Set/Port")
	if w.value("./Set/Note") == text {
		out += " note"
	}
	found, err := w.tree.Begin("srv", noon)
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := dm.ParseURI("./DMAcc/a/Nonce")
	if err != nil {
		w.t.Fatal(err)
	}
	if got, err := found.Get(u); err == nil && bytes.Equal(got[0].Value.Data, octets(9000)) {
		out += " nonce"
	}
	return out
}

func port() dmserver.Work {
	return dmserver.Work{ID: "port", Op: dmserver.Replace, URI: "./Set/Port", Value: dm.Value{Format: dm.FormatInt, Data: []byte("8883")}}
}

// TestALargeAtomicIsOneChange: some 100 KB, as certificates have, are set together with other values in messages of 2 KB, by one commit.
func TestALargeAtomicIsOneChange(t *testing.T) {
	text := strings.Repeat("-----BEGIN <&> ]]> Zertifikat für alle\n", 2600)
	each(t, func(t *testing.T, w *world) {
		small(w)
		w.server.Work = []dmserver.Work{bundle(text, port()), get("after", "./Set/Id")}
		w.run()
		w.expect("bundle:200; host:200; note:200; account:200; nonce:200; port:200; after:200 ./Set/Id=35-1")
		if got := w.changed(text); got != "b.example 8883 note nonce" || len(w.set.Commits) != 1 || len(w.set.Commits[0]) != 3 {
			t.Errorf("%s by %d commits", got, len(w.set.Commits))
		}
	})
}

// TestALargeAtomicIsNotDone: whichever member is refused, in whichever message, the device is as it was, and the server knows which it was and why.
func TestALargeAtomicIsNotDone(t *testing.T) {
	text := strings.Repeat("x", 20_000)
	locked := replace("locked", "./Set/Locked", "x")
	first := bundle(text, port())
	first.Members = append([]dmserver.Work{locked}, first.Members...)
	for _, c := range []struct {
		work dmserver.Work
		want string
	}{
		{bundle(text, locked), "bundle:507; host:216; note:216; account:216; nonce:216; locked:425"},
		{first, "bundle:507; locked:425; host:215; note:215; account:215; nonce:215; port:215"},
		{bundle(text, dmserver.Work{ID: "get", Op: dmserver.Get, URI: "./Set/Host"}), "bundle:507; host:216; note:216; account:216; nonce:216; get:500"},
	} {
		each(t, func(t *testing.T, w *world) {
			small(w)
			w.server.Work = []dmserver.Work{c.work, get("after", "./Set/Id")}
			w.run()
			w.expect(c.want + "; after:200 ./Set/Id=35-1")
			if got := w.changed(text); got != "a.example 1" {
				t.Error(got)
			}
		})
	}
}

// TestALargeAtomicDialog shows what goes over the wire: groups that end with a part of a value, until the last.
func TestALargeAtomicDialog(t *testing.T) {
	w := newWorld(t)
	small(w)
	w.server.Work = []dmserver.Work{{ID: "a", Op: dmserver.Atomic, Members: []dmserver.Work{replace("n", "./Set/Note", strings.Repeat("x", 3000)), port()}}}
	w.run()
	w.traced(
		"> 1 Cred Alert(1201) Replace Final",
		"< 1 Cred SyncHdr:212+Chal Alert:200 Replace:200 Alert(1222)",
		"> 2 SyncHdr:212+Chal Alert(1222)",
		"< 2 SyncHdr:200 Atomic(Replace...)",
		"> 3 SyncHdr:200 Replace:213 Atomic:213 Alert(1222)",
		"< 3 SyncHdr:200 Atomic(Replace Replace) Final",
		"> 4 SyncHdr:200 Atomic:200 Replace:200 Replace:200 Final",
		"< 4 SyncHdr:200 Final",
	)
	w.expect("a:200; n:200; port:200")
}

var errCut = errors.New("cut off")

// TestALargeAtomicThatIsCutOff: a session that ends in the middle of it has changed nothing, wherever that is; the next one does it.
func TestALargeAtomicThatIsCutOff(t *testing.T) {
	text := strings.Repeat("x", 9000)
	for last := 3; ; last++ {
		w := newWorld(t)
		small(w)
		w.server.Work = []dmserver.Work{bundle(text, port())}
		w.carry = func(w *world, _ bool, n int, p packet.Packet) []packet.Packet {
			if n > last {
				w.devErr = errCut
				return nil
			}
			return []packet.Packet{p}
		}
		w.run()
		if w.srvDone {
			break
		}
		if got := w.changed(text); got != "a.example 1" && got != "b.example 8883 note nonce" {
			t.Fatalf("after %d messages: %s", last, got)
		}
		w.carry = nil
		w.run()
		if got := w.changed(text); got != "b.example 8883 note nonce" {
			t.Errorf("again after %d messages: %s, %s", last, got, w.outcomes())
		}
	}
}

// TestManyMembers: a group of many small members is cut between any two of them.
func TestManyMembers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		small(w)
		many := dmserver.Work{ID: "many", Op: dmserver.Atomic}
		for i := range 60 {
			text := strings.Repeat("v", 65+i*7%200)
			many.Members = append(many.Members, dmserver.Work{ID: fmt.Sprint(i), Op: dmserver.Add, URI: fmt.Sprintf("./DMAcc/a%d/Name", i), Value: chr(text)})
		}
		w.server.Work = []dmserver.Work{many}
		w.run()
		if out := w.srv.Report().Outcomes; len(out) != 61 || !out[0].Applied() || !out[60].Applied() || w.value("./DMAcc/a59/Name") != strings.Repeat("v", 65+59*7%200) {
			t.Errorf("%s\n%s", w.outcomes(), strings.Join(w.trace, "\n"))
		}
	})
}
