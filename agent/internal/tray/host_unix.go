//go:build unix && !darwin

package tray

import (
	"os"
	"path/filepath"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

// settling is how long a desktop that starts may need until its panel stands.
const settling = 5 * time.Second

// host is whether somebody shows icons. GNOME does only with an extension.
type host struct {
	desktop *Desktop
	late    *time.Timer
}

func (h *host) look() {
	var there bool
	err := h.desktop.bus.BusObject().Call(busName+".NameHasOwner", 0, hostName).Store(&there)
	h.owned(err == nil && there)
}

// owned takes note that there is a place for icons, or none any more.
func (h *host) owned(there bool) {
	h.late.Stop()
	if there {
		h.desktop.Ring(Note{Key: "host", Gone: true})
	} else {
		h.late.Reset(settling)
	}
}

// missing tells it once, not at each start.
func (h *host) missing() {
	h.desktop.log.Warn("this desktop shows no tray icons; what needs you comes as a notification")
	file := filepath.Join(cache(), "alwayson", "told-of-missing-tray")
	if _, err := os.Stat(file); err == nil {
		return
	}
	h.desktop.Ring(Note{Key: "host", Urgent: true, Title: say.Text("This desktop shows no tray icons"), Body: say.Text("Synchronization goes on, and you are told " +
		"here of what needs you. GNOME shows icons with the extension AppIndicator. Type: alwayson status")})
	if os.MkdirAll(filepath.Dir(file), 0o700) == nil {
		os.WriteFile(file, nil, 0o600) //nolint:errcheck // then it is told once more
	}
}

func cache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return os.TempDir()
	}
	return dir
}
