package cli

import (
	"testing"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
)

// TestTheTrayFindsTheAgent: the tray reads no configuration, and looks where an agent listens that is told nothing else.
func TestTheTrayFindsTheAgent(t *testing.T) {
	for _, env := range []map[string]string{{}, {"XDG_RUNTIME_DIR": "/run/user/1"}, {"XDG_STATE_HOME": "/state"}} {
		for _, name := range []string{"XDG_RUNTIME_DIR", "XDG_STATE_HOME"} {
			t.Setenv(name, env[name])
		}
		if got, want := control.DefaultSocket(), config.DefaultSocket(); got != want {
			t.Errorf("%v: %s, want %s", env, got, want)
		}
	}
}
