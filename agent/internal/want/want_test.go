package want_test

import (
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/kv/memkv"
	"github.com/alwayson-sync/alwayson/agent/internal/want"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/pim"
)

// TestATripThatIsOverIsTold: the server is told in one exchange what is wanted after a trip of which it never knew (found by simulation).
func TestATripThatIsOverIsTold(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	b, err := want.Open(&memkv.Store{}, nil, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	trip := dsclient.Filter{Text: "category:red", Travel: "category:blue", Until: now.Add(time.Hour)}
	if err := b.Set("contacts", trip); err != nil {
		t.Fatal(err)
	}
	if f := b.Outgoing("contacts"); f == nil || *f != trip {
		t.Errorf("on the trip %+v is told", f)
	}
	now = now.Add(2 * time.Hour)
	f := b.Outgoing("contacts")
	if f == nil || f.Travel != "" || f.Text != "category:red" {
		t.Fatalf("after the trip %+v is told", f)
	}
	b.Note("contacts", &dsclient.StoreReport{Filter: f})
	if f := b.Outgoing("contacts"); f != nil {
		t.Errorf("%+v is told again", f)
	}
}

// TestWhoseFilterTakesAnItemAway: what the user, the file or the command line leaves out may go without a copy; what an administrator or the server leaves
// out may not, because only their word says that it is elsewhere.
func TestWhoseFilterTakesAnItemAway(t *testing.T) {
	b, err := want.Open(&memkv.Store{}, map[string]want.Configured{"contacts": {Text: "category:red"}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	card := func(category string) pim.Item {
		return pim.Item{Type: pim.TypeVCard, Body: []byte("BEGIN:VCARD\nVERSION:3.0\nCATEGORIES:" + category + "\nEND:VCARD\n")}
	}
	check := func(when string, red, blue bool) {
		t.Helper()
		leaves := b.Leaves("contacts", pim.Contacts)
		if leaves(card("red")) != red || leaves(card("blue")) != blue {
			t.Errorf("%s: red %t, blue %t", when, leaves(card("red")), leaves(card("blue")))
		}
	}
	check("the file", false, true)
	if _, err := b.Configure(map[string]want.Configured{"contacts": {Text: "category:green", Pushed: true}}); err != nil {
		t.Fatal(err)
	}
	check("a push", false, true)
	b.Note("contacts", &dsclient.StoreReport{Filter: &dsclient.Filter{Text: "category:none"}})
	check("the server", false, true)
	if err := b.SetConfigured("contacts", dsclient.Filter{Text: "category:blue"}); err != nil {
		t.Fatal(err)
	}
	check("the command line", true, false)
	if err := b.Set("contacts", dsclient.Filter{}); err != nil {
		t.Fatal(err)
	}
	check("no filter any more", false, false)
}
