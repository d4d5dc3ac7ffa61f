package mo_test

import (
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/mo"
)

// TestTheTableIsSound: keys and nodes are there once, defaults are values, and a key and its node lead to each other.
func TestTheTableIsSound(t *testing.T) {
	seen := map[string]bool{}
	for i := range mo.Table {
		s := &mo.Table[i]
		if seen[s.Key] || seen[s.Node] || s.Help == "" || !strings.HasSuffix(s.Help, ".") {
			t.Errorf("%s: twice, or without help", s.Key)
		}
		seen[s.Key], seen[s.Node] = true, true
		if s.Default != "" {
			if err := s.Check(s.Default); err != nil {
				t.Errorf("%s: default: %v", s.Key, err)
			}
			if back := s.Text(s.Value(s.Default)); !s.Same(back, s.Default) {
				t.Errorf("%s: %q comes back from the tree as %q", s.Key, s.Default, back)
			}
		}
		key := strings.Replace(s.Key, "*", "my.mail", 1)
		found, ok := mo.Find(key)
		if !ok || found != s {
			t.Errorf("%s is not found", key)
		}
		at, itsKey, ok := mo.At(s.Of(key))
		if !ok || at != s || itsKey != key {
			t.Errorf("%v has key %q, want %q", s.Of(key), itsKey, key)
		}
	}
	for _, key := range []string{"", "device", "store..filter", "store.filter", "session", "session.poll.x"} {
		if _, ok := mo.Find(key); ok {
			t.Errorf("%q was found", key)
		}
	}
	if _, _, ok := mo.At(dm.Path{"DS", "1", "DB", "a", "b", "Filter"}); ok {
		t.Error("a deeper node was found")
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		key, text string
		ok        bool
	}{
		{"log.level", "debug", true}, {"log.level", "loud", false}, {"session.poll", "90s", true}, {"session.poll", "90", false}, {"session.poll", "-1s", false},
		{"session.attempts", "3", true}, {"session.attempts", "0", false}, {"session.attempts", "x", false}, {"brake.percent", "101", false}, {"brake.count", "0", true},
		{"store.mail.conflicts", "server", true}, {"store.mail.conflicts", "", false},
	} {
		s, ok := mo.Find(c.key)
		if !ok {
			t.Fatal(c.key)
		}
		if err := s.Check(c.text); (err == nil) != c.ok {
			t.Errorf("%s = %q: %v", c.key, c.text, err)
		}
	}
}

// TestTheDescriptionDescribes: each node of the table is found in the DDF, which is written and read as it is.
func TestTheDescriptionDescribes(t *testing.T) {
	text, err := mo.Description().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := ddf.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	schema := ddf.NewSchema()
	if err := schema.Add(nil, doc); err != nil {
		t.Fatal(err)
	}
	for i := range mo.Table {
		s := &mo.Table[i]
		n := schema.Find(s.Of(strings.Replace(s.Key, "*", "mail", 1)))
		if n == nil || n.DF.Format != s.Format() || !n.DF.Access.Has(dm.Replace) || n.DF.Access.Has(dm.Get) == s.Secret ||
			n.DF.Access.Has(dm.Delete) == (s.Key == mo.Switch) {
			t.Errorf("%s: %+v", s.Key, n)
		}
	}
	if n := schema.Find(dm.Path{"DS", "1"}); n == nil || n.DF.DDFName != dm.MODS {
		t.Errorf("%+v", n)
	}
}
