package tree_test

import (
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/tree"
)

// FuzzACL reads ACLs: what could be read is written so that it reads the same and grants the same.
func FuzzACL(f *testing.F) {
	for _, s := range []string{"Add=*&Get=*", "Get=a+b&Replace=a&Delete=*&Exec=x&Add=y", "", "Get=", "Get=*+a", "Copy=*", "Get=a&Get=b", "&", "Get==a"} {
		f.Add(s, "a")
	}
	f.Fuzz(func(t *testing.T, text, server string) {
		a, err := tree.ParseACL(text)
		if err != nil {
			return
		}
		again, err := tree.ParseACL(a.String())
		if err != nil || again.String() != a.String() || a.IsZero() != (text == "") {
			t.Fatalf("%q became %q: %v", text, a, err)
		}
		for i := range dm.Commands {
			if again.Allows(1<<i, server) != a.Allows(1<<i, server) {
				t.Errorf("%q and %q grant different things", text, a)
			}
		}
		if rest := a.Without(server); server != "*" && rest.Allows(dm.Get, server) != a.Allows(dm.Get, "") {
			t.Errorf("%q without %q is %q", text, server, rest)
		}
	})
}
