package link

import (
	"bufio"
	"os/exec"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// systemBus is one of our own, in place of the system's.
func systemBus(t *testing.T) *dbus.Conn {
	t.Helper()
	daemon := exec.Command(pimtest.Program(t, "dbus-daemon", "dbus"), "--session", "--nofork", "--print-address=1")
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		daemon.Process.Kill() //nolint:errcheck // it may have ended
		daemon.Wait()         //nolint:errcheck // it was killed
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", strings.TrimSpace(address))
	bus, err := dbus.Connect(strings.TrimSpace(address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() }) //nolint:errcheck // of a test
	return bus
}

// TestMetered: what NetworkManager says holds, also against the kind of the interface; what it does not know is guessed.
func TestMetered(t *testing.T) {
	const name, path = "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager"
	mobile, wired := Network{Ways: []Interface{{"wwan0", Mobile}}}, Network{Ways: []Interface{{"eth0", ""}}}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+t.TempDir()+"/nothing")
	if !mobile.IsMetered() || wired.IsMetered() {
		t.Error("without a bus")
	}
	bus := systemBus(t)
	if !mobile.IsMetered() || wired.IsMetered() {
		t.Error("without NetworkManager")
	}
	says, err := prop.Export(bus, path, prop.Map{name: {"Metered": {Value: uint32(0), Emit: prop.EmitFalse}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bus.RequestName(name, 0); err != nil {
		t.Fatal(err)
	}
	for n, want := range [][2]bool{{true, false}, {true, true}, {false, false}, {true, true}, {false, false}} {
		says.SetMust(name, "Metered", uint32(n))
		if mobile.IsMetered() != want[0] || wired.IsMetered() != want[1] {
			t.Errorf("it says %d: mobile %v, wired %v", n, mobile.IsMetered(), wired.IsMetered())
		}
	}
}
