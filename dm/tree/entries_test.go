package tree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/tree"
)

// TestEntries: the device sees every node with its own ACL, also what no server may read; secrets are there without their value.
func TestEntries(t *testing.T) {
	w := newWorld(t, tree.Memory{}, "Add=admin&Get=admin&Replace=admin")
	x, err := w.tree.Begin("admin", now)
	if err != nil {
		t.Fatal(err)
	}
	for uri, text := range map[string]string{"./DMAcc/1/Name": "n", "./DMAcc/1/Secret": "s3cret"} {
		u, err := dm.ParseURI(uri)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Add(u, dm.Value{Format: dm.FormatChr, Data: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Commit(); err != nil {
		t.Fatal(err)
	}
	list, err := w.tree.Entries(now)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, e := range list {
		fmt.Fprintf(&out, "%s %s %q %t %s\n", e.Path, e.Value.Format, e.Value.Data, e.Secret, e.ACL)
	}
	for _, want := range []string{". node \"\" false Add=admin&Get=admin&Replace=admin\n", "./DMAcc/1/Name chr \"n\" false \n", "./DMAcc/1/Secret chr \"\" true \n",
		"./Set/Host chr \"a.example\" false \n", "./Set/Restart null \"\" false \n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "s3cret") {
		t.Error("a secret is shown")
	}
}
