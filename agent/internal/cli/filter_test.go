package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/clientcert/certtest"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
)

// filtered waits until a filter is in force, and all who tell of it say the same: the command, the settings with their origin, the management tree.
func (w *secure) filtered(what, text, origin string) {
	w.Helper()
	w.ask(what, func() error {
		filters, err := w.c.Filters(w.Context())
		if err == nil && (filters[0].Filter != text || filters[0].State != "in use") {
			err = fmt.Errorf("%+v", filters[0])
		}
		settings, e := w.c.Settings(w.Context())
		i := slices.IndexFunc(settings, func(s control.Setting) bool { return s.Key == "store.contacts.filter" })
		if e == nil && (settings[i].Value != text || settings[i].Origin != origin) {
			e = fmt.Errorf("%+v", settings[i])
		}
		nodes, e2 := w.c.Tree(w.Context())
		i = slices.IndexFunc(nodes, func(n control.Node) bool { return n.URI == "./DS/1/DB/contacts/Filter" })
		if e2 == nil && nodes[i].Value != text {
			e2 = fmt.Errorf("%+v", nodes[i])
		}
		return errors.Join(err, e, e2)
	})
}

// TestAFilterIsOneWish is S6 for filters: the command, the settings, a push, the server's own filters and the file change the same thing, the last wish holds, and
// none of it breaks the session.
func TestAFilterIsOneWish(t *testing.T) {
	w := newSecure(t, certtest.New(t))
	before := w.inSync("at first", anyway)
	ben, carla := "name:ben", "name:carla"
	w.filtered("nobody has said anything", "", "default")
	if _, err := w.c.SetFilter(t.Context(), control.Filter{Store: "contacts", Filter: "name:zoe"}); err != nil {
		t.Fatal(err)
	}
	w.filtered("by the command", "name:zoe", "user")
	for _, again := range []string{"", " again"} {
		w.push("applied", "", map[string]*string{"store.contacts.filter": &ben})
		w.filtered("by a push"+again, ben, "administrator")
		if _, err := site.SetFilter(t.Context(), w.site.Store(), "@root", "d", "contacts", "name:ana", false); err != nil {
			t.Fatal(err)
		}
		w.filtered("by the server's filters"+again, "name:ana", "administrator")
	}
	if _, err := w.c.SetSettings(t.Context(), map[string]*string{"store.contacts.filter": &carla}); err != nil {
		t.Fatal(err)
	}
	w.filtered("by a setting", carla, "user")
	path := filepath.Join(w.dir, "alwayson.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w.write("alwayson.toml", strings.Replace(string(text), `kind = "contacts"`, "kind = \"contacts\"\nfilter = \"name:dora\"", 1))
	w.filtered("by the file", "name:dora", "file")
	if now := w.inSync("in the end", anyway); now.Session.ID != before.Session.ID {
		t.Errorf("%+v", now.Ended)
	}
	log, err := w.c.Log(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range log[1:] {
		if x.Stores[0].Alert == 201 {
			t.Errorf("a slow sync: %+v", x)
		}
	}
}
