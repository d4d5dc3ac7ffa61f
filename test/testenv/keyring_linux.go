package testenv

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// busConfig is a session bus on which nothing starts by itself.
const busConfig = `<busconfig><type>session</type><listen>unix:dir=DIR</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

// Bus gives the test a session bus of its own, on which nobody is.
func Bus(t testing.TB) *dbus.Conn {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(conf, []byte(strings.Replace(busConfig, "DIR", dir, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(pimtest.Program(t, "dbus-daemon", "dbus"), "--config-file="+conf, "--nofork", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	runs(t, cmd)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("the bus does not say where it is:", err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
	bus, err := dbus.Connect(strings.TrimSpace(address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	return bus
}

// runs starts a program that ends with the test.
func runs(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it may have ended
		cmd.Wait()         //nolint:errcheck // it was killed
	})
}

// Keyring is GNOME's in a desktop session of the test.
type Keyring struct {
	t      testing.TB
	bus    *dbus.Conn
	daemon *os.Process
}

// master is the password of the keyring.
const master = "open sesame"

// loginCollection is where entries are.
const loginCollection = dbus.ObjectPath("/org/freedesktop/secrets/collection/login")

// NewKeyring gives the test a session with a keyring that is unlocked and empty.
func NewKeyring(t testing.TB) *Keyring {
	t.Helper()
	k := &Keyring{t: t, bus: Bus(t)}
	program := pimtest.Program(t, "gnome-keyring-daemon", "gnome-keyring")
	home := t.TempDir()
	cmd := exec.Command(program, "--foreground", "--components=secrets", "--unlock", "--control-directory="+filepath.Join(home, "control"))
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME="+filepath.Join(home, "data"), "XDG_RUNTIME_DIR="+home)
	cmd.Stdin = strings.NewReader(master)
	runs(t, cmd)
	k.daemon = cmd.Process
	Ask(t, "the keyring does not answer", func(ctx context.Context) error {
		_, err := k.bus.Object("org.freedesktop.secrets", loginCollection).GetProperty("org.freedesktop.Secret.Collection.Label")
		return err
	})
	return k
}

func (k *Keyring) call(method string, args ...any) *dbus.Call {
	k.t.Helper()
	c := k.bus.Object("org.freedesktop.secrets", "/org/freedesktop/secrets").Call(method, 0, args...)
	if c.Err != nil {
		k.t.Fatal(method, c.Err)
	}
	return c
}

// Lock locks it, as a desktop does when its user is away.
func (k *Keyring) Lock() {
	k.t.Helper()
	k.call("org.freedesktop.Secret.Service.Lock", []dbus.ObjectPath{loginCollection})
}

// Freeze makes it answer nothing more.
func (k *Keyring) Freeze() {
	k.t.Helper()
	if err := k.daemon.Signal(syscall.SIGSTOP); err != nil {
		k.t.Fatal(err)
	}
}

// secret is one as it goes over the bus.
type secret struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

// Unlock unlocks it as a login does, without a prompt.
func (k *Keyring) Unlock() {
	k.t.Helper()
	var none dbus.Variant
	s := secret{Parameters: []byte{}, Value: []byte(master), ContentType: "text/plain"}
	if err := k.call("org.freedesktop.Secret.Service.OpenSession", "plain", dbus.MakeVariant("")).Store(&none, &s.Session); err != nil {
		k.t.Fatal(err)
	}
	k.call("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.UnlockWithMasterPassword", loginCollection, s)
}
