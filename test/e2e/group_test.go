package e2e

import (
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// TestGroups: what is wanted of a group reaches its devices, also one that joins later; one that leaves gets back what it would have without the group: what
// is wanted of its user, or what its own configuration says. What goes before it holds, and the administrator is told so (S1, S8, S9).
func TestGroups(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop", "phone"}, Mosquitto: true})
	p := &pushed{t, w}
	laptop, phone := w.Devices[0], w.Devices[1]
	for _, d := range w.Devices {
		d.On()
		until(t, d, "in sync at first", inSync)
	}
	edit(t, laptop, "session.poll", "17m")
	holds(t, laptop, "session.poll", "17m")
	w.Admin("group", "add", "lab")
	w.Admin("group", "join", "lab", "laptop")
	p.set("--group", "lab", "log.level=debug", "session.poll=7m")
	p.becomes("laptop", "session.poll", "applied", "")
	holds(t, laptop, "log.level", "debug")
	holds(t, laptop, "session.poll", "7m")
	if out := w.Admin("settings", "set", "--user", "ana", "log.level=warn"); !strings.Contains(out, "log.level by group lab") {
		t.Error(out)
	}
	holds(t, phone, "log.level", "warn")

	phone.Kill()
	w.Admin("group", "join", "lab", "phone")
	p.becomes("phone", "session.poll", "pending", "")
	phone.Start()
	holds(t, phone, "log.level", "debug")
	holds(t, phone, "session.poll", "7m")
	if out := w.Admin("settings", "preview", "--group", "lab", "log.level=debug", "session.poll=7m"); strings.Count(out, "nothing") != 2 {
		t.Error(out)
	}

	w.Admin("group", "leave", "lab", "laptop")
	p.becomes("laptop", "session.poll", "applied", "(the device's own)")
	holds(t, laptop, "log.level", "warn")
	holds(t, laptop, "session.poll", "17m")
	if out, err := laptop.Command("settings", "show", "session.poll", "--origin"); err != nil || !strings.Contains(out, "file") {
		t.Error(out, err)
	}
	if out := w.Admin("why", "laptop"); !strings.Contains(out, "left lab") || !strings.Contains(out, "by @administrator") {
		t.Error(out)
	}
	w.Admin("settings", "set", "--device", "phone", "log.level=error")
	w.Admin("group", "remove", "lab")
	holds(t, phone, "session.poll", "30m")
	holds(t, phone, "log.level", "error")
	if out := w.Admin("group", "list"); strings.Contains(out, "lab") {
		t.Error(out)
	}
}
