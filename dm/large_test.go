package dm_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/dmserver"
	"github.com/alwayson-sync/alwayson/dm/tree/treetest"
)

// Dialogs about size.

// small lets both ends take little.
func small(w *world) {
	w.device.MaxMsgSize, w.server.MaxMsgSize = 2000, 2000
}

func octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

func TestLargeObjects(t *testing.T) {
	text := strings.Repeat("Grüße <&> ]]> ", 700)
	each(t, func(t *testing.T, w *world) {
		small(w)
		w.server.Work = []dmserver.Work{
			replace("small", "./Set/Host", "s"),
			{ID: "text", Op: dmserver.Add, URI: "./DMAcc/a/Name", Value: chr(text)},
			{ID: "octets", Op: dmserver.Add, URI: "./DMAcc/a/Nonce", Value: dm.Value{Format: dm.FormatBin, Data: octets(9000)}},
			get("text again", "./DMAcc/a/Name"), get("octets again", "./DMAcc/a/Nonce"), {ID: "tree", Op: dmserver.Get, URI: "./DMAcc?list=TNDS"},
			replace("last", "./Set/Host", "l"),
		}
		w.run()
		out := map[string]dmserver.Outcome{}
		for _, o := range w.srv.Report().Outcomes {
			if !o.Applied() {
				t.Errorf("%s: %v %s", o.ID, o.Status, o.Reason)
			}
			out[o.ID] = o
		}
		if len(out) != 7 || !w.devDone || !w.srvDone || w.devErr != nil || w.srvErr != nil {
			t.Fatalf("outcomes %q, device: %t %v, server: %t %v\n%s", w.outcomes(), w.devDone, w.devErr, w.srvDone, w.srvErr, strings.Join(w.trace, "\n"))
		}
		if f := out["text again"].Found; len(f) != 1 || string(f[0].Value.Data) != text {
			t.Errorf("the text is not what it was")
		}
		if f := out["octets again"].Found; len(f) != 1 || !bytes.Equal(f[0].Value.Data, octets(9000)) {
			t.Errorf("the octets are not what they were")
		}
		if f := out["tree"].Found; len(f) != 1 || f[0].Tree == nil || *f[0].Tree.Nodes[0].Nodes[0].Nodes[0].Value != text {
			t.Errorf("the tree is not what it is: %+v", f)
		}
		if w.value("./Set/Host") != "l" || w.value("./DMAcc/a/Name") != text {
			t.Error("the device has other values")
		}
	})
}

func TestLargeObjectDialog(t *testing.T) {
	w := newWorld(t)
	small(w)
	w.server.Work = []dmserver.Work{{ID: "a", Op: dmserver.Add, URI: "./DMAcc/a/Name", Value: chr(strings.Repeat("x", 3000))}, get("g", "./DMAcc/a/Name")}
	w.run()
	w.traced(
		"> 1 Cred Alert(1201) Replace Final",
		"< 1 Cred SyncHdr:212+Chal Alert:200 Replace:200 Alert(1222)",
		"> 2 SyncHdr:212+Chal Alert(1222)",
		"< 2 SyncHdr:200 Add...",
		"> 3 SyncHdr:200 Add:213 Alert(1222)",
		"< 3 SyncHdr:200 Add Final",
		"> 4 SyncHdr:200 Add:200 Final",
		"< 4 SyncHdr:200 Get Final",
		"> 5 SyncHdr:200 Get:200",
		"< 5 SyncHdr:200 Alert(1222)",
		"> 6 SyncHdr:200 Results...",
		"< 6 SyncHdr:200 Results:213 Alert(1222)",
		"> 7 SyncHdr:200 Results Final",
		"< 7 SyncHdr:200 Final",
	)
	w.expect("a:200; g:200 ./DMAcc/a/Name=" + strings.Repeat("x", 3000))
}

func TestLists(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		small(w)
		for i := range 40 {
			w.server.Work = append(w.server.Work, dmserver.Work{ID: fmt.Sprint(i), Op: dmserver.Add, URI: fmt.Sprintf("./DMAcc/account%d/Name", i), Value: chr("name")})
		}
		w.server.Work = append(w.server.Work, get("list", "./DMAcc?list=StructData"))
		w.run()
		outcomes := w.srv.Report().Outcomes
		if list := outcomes[len(outcomes)-1]; len(outcomes) != 41 || len(list.Found) != 81 || list.Found[80].URI != "./DMAcc/account9/Name" || !w.srvDone || !w.devDone {
			t.Errorf("%d outcomes, %d nodes\n%s", len(outcomes), len(list.Found), strings.Join(w.trace, "\n"))
		}
	})
}

func TestTooLarge(t *testing.T) {
	w := newWorld(t)
	small(w)
	w.device.MaxObjSize, w.server.MaxObjSize = 2500, 2500
	big := push()
	big.Members[0].Value = chr(strings.Repeat("x", 2501))
	for _, v := range []int{2000, 2500} {
		w.server.Work = append(w.server.Work, dmserver.Work{ID: fmt.Sprint(v), Op: dmserver.Add, URI: fmt.Sprintf("./DMAcc/a%d/Name", v), Value: chr(strings.Repeat("x", v))})
	}
	w.server.Work = append(w.server.Work, replace("2501", "./Set/Host", strings.Repeat("x", 2501)), big, replace("ok", "./Set/Host", "b"))
	w.run()
	w.expect("2000:200; 2500:200; 2501:413; push:413; h:215; p:215; t:215; ok:200")
	w.server.Work = []dmserver.Work{get("tree", ".?list=TNDS"), get("host", "./Set/Host")}
	w.run()
	w.expect("tree:413; host:200 ./Set/Host=b")
}

// TestManyEvents: the answers to events leave no room for work, which goes into the next message.
func TestManyEvents(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		small(w)
		w.server.Work = []dmserver.Work{push()}
		for i := range 100 {
			w.device.Events = append(w.device.Events, dm.Event{ID: fmt.Sprint("e", i), Type: "Reversed-Domain-Name: org.example.event", URI: "./Set", Data: []byte("changed by the user")})
		}
		w.run()
		w.expect(pushed)
		told := w.dev.Report().Events
		if len(told) != 100 || len(w.srv.Report().Events) != 100 || told["e99"] != 200 {
			t.Errorf("%d of 100 events were told, %d came\n%s", len(told), len(w.srv.Report().Events), strings.Join(w.trace, "\n"))
		}
	})
}

// TestStoreThatFails: whatever write fails, the Atomic is done or not, and the server knows which.
func TestStoreThatFails(t *testing.T) {
	for _, once := range []bool{true, false} {
		for left := 0; ; left++ {
			w := newWorld(t)
			w.server.Work = []dmserver.Work{push(), {ID: "a", Op: dmserver.Add, URI: "./DMAcc/a/Name", Value: chr("n")}, get("g", "./Set/Host")}
			*w.store.Faults = treetest.Faults{Left: left, Once: once}
			w.run()
			writes := w.store.Writes
			*w.store.Faults = treetest.Faults{Left: -1}
			if w.devErr != nil || w.srvErr != nil || !w.srvDone || !w.devDone || len(w.srv.Report().Outcomes) != 6 {
				t.Fatalf("%d writes: device: %v, server: %v, %q", left, w.devErr, w.srvErr, w.outcomes())
			}
			w.open() // as after a crash: what was interrupted is taken back
			atomic, added := w.srv.Report().Outcomes[0], w.srv.Report().Outcomes[4]
			if atomic.Applied() != (w.value("./Set/Host") == "b.example") || atomic.Applied() != (w.value("./Set/Port") == "8883") {
				t.Errorf("%d writes: the Atomic is said to be %v, and the host is %s", left, atomic.Status, w.value("./Set/Host"))
			}
			if added.Applied() != (w.value("./DMAcc/a/Name") == "n") {
				t.Errorf("%d writes: the Add is said to be %v, and the name is %s", left, added.Status, w.value("./DMAcc/a/Name"))
			}
			w.run()
			if again := w.srv.Report().Outcomes[0]; !again.Applied() || w.value("./TLS") == "true" {
				t.Errorf("%d writes: not healed: %s", left, w.outcomes())
			}
			if left > writes {
				break
			}
		}
	}
}
