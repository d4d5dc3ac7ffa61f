package page

import (
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/control"
)

var english voice

// TestWhatCannotBeReadIsNotRefused: a locked keyring is another thing than a wrong secret.
func TestWhatCannotBeReadIsNotRefused(t *testing.T) {
	for name, c := range map[string]struct {
		status     control.Status
		word, says string
	}{
		"refused": {control.Status{AlwaysOn: true, State: "held", Problem: control.Credentials}, "Sign in again", "has refused"},
		"locked":  {control.Status{AlwaysOn: true, State: "held", Problem: control.Credentials, NoSecret: "the keyring is locked"}, "Secret not readable", "the keyring is locked"},
		"the broker's": {control.Status{AlwaysOn: true, State: "idle", Problem: control.Credentials, Push: control.Push{State: "held", Reason: "no keyring answers"}},
			"Secret not readable", "no keyring answers"},
	} {
		if got := english.tellState(&c.status, 0).Word; got != c.word {
			t.Errorf("%s: %s", name, got)
		}
		if got := english.causes(&c.status, 0)[0].Text; !strings.Contains(got, c.says) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestAPolledStore says why its changes are late, unless there is more to say.
func TestAPolledStore(t *testing.T) {
	s := control.Store{Polled: "the limit of inotify is reached"}
	if m := english.tellStore(&s); !strings.Contains(m.Text, "every 30 s: the limit") {
		t.Error(m)
	}
	s.Held = 3
	if m := english.tellStore(&s); strings.Contains(m.Text, "every 30 s") {
		t.Error(m)
	}
}
