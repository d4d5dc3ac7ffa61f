package want_test

import (
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/kv/memkv"
	"github.com/alwayson-sync/alwayson/agent/internal/want"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
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
