package tray

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// desktop is a session of a user: a bus of its own, and a screen with a panel if there is one.
type desktop struct {
	t      *testing.T
	dir    string
	env    []string
	bus    *dbus.Conn
	screen string // file
}

// newDesktop starts a session without a panel. Everything ends with the test.
func newDesktop(t *testing.T) *desktop {
	t.Helper()
	d := &desktop{t: t, dir: t.TempDir()}
	d.env = append(os.Environ(), "HOME="+d.dir, "XDG_CONFIG_HOME="+filepath.Join(d.dir, "config"), "XDG_CACHE_HOME="+filepath.Join(d.dir, "cache"),
		"XDG_RUNTIME_DIR="+d.dir, "NO_AT_BRIDGE=1", "GDK_BACKEND=x11", "LC_ALL=C.UTF-8", "TZ=UTC", "DISPLAY=")
	address := d.answer(pimtest.Program(t, "dbus-daemon", "dbus"), "--session", "--nofork", "--print-address=1")
	d.env = append(d.env, "DBUS_SESSION_BUS_ADDRESS="+address)
	d.bus = connect(t, address)
	return d
}

// browser is one that only notes in a file what it is to open. It is for programs that are started afterwards.
func (d *desktop) browser() (file string) {
	d.t.Helper()
	bin := d.t.TempDir()
	file = filepath.Join(bin, "opened")
	script := "#!/bin/sh\nprintf %s \"$1\" > " + file + ".new && mv " + file + ".new " + file + "\n"
	if err := os.WriteFile(filepath.Join(bin, "xdg-open"), []byte(script), 0o700); err != nil {
		d.t.Fatal(err)
	}
	d.env = append(d.env, "PATH="+bin+":"+os.Getenv("PATH"))
	return file
}

func connect(t *testing.T, address string) *dbus.Conn {
	t.Helper()
	bus, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	return bus
}

// start starts a program of the session.
func (d *desktop) start(name string, args ...string) (*exec.Cmd, *log) {
	d.t.Helper()
	cmd, log := exec.Command(name, args...), &log{}
	cmd.Env, cmd.Stdout, cmd.Stderr = d.env, log, log
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		stop(cmd)
		if d.t.Failed() {
			d.t.Logf("%s:\n%s", name, log)
		}
	})
	return cmd, log
}

// log is what a program writes.
type log struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// answer starts a program that writes one line when it is ready.
func (d *desktop) answer(name string, args ...string) string {
	d.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = d.env
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { stop(cmd) })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		d.t.Fatalf("%s says nothing: %v", name, err)
	}
	return strings.TrimSpace(line)
}

func stop(cmd *exec.Cmd) {
	cmd.Process.Kill() //nolint:errcheck // it may have ended
	cmd.Wait()         //nolint:errcheck // it was killed
}

// panelConfig is a panel along the upper edge with nothing in it but icons.
const panelConfig = `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array"><value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="%v"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="30"/>
      <property name="icon-size" type="uint" value="22"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray">
      <property name="icon-size" type="int" value="22"/>
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>`

// panel starts a screen with the panel of Xfce.
func (d *desktop) panel(dark bool) {
	d.t.Helper()
	number := d.answer(pimtest.Program(d.t, "Xvfb", "xvfb"), "-displayfd", "1", "-screen", "0", "480x360x24", "-fbdir", d.dir, "-nolisten", "tcp")
	d.screen = filepath.Join(d.dir, "Xvfb_screen0")
	d.env = append(d.env, "DISPLAY=:"+number)
	conf := filepath.Join(d.dir, "config", "xfce4", "xfconf", "xfce-perchannel-xml")
	if err := os.MkdirAll(conf, 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(conf, "xfce4-panel.xml"), fmt.Appendf(nil, panelConfig, dark), 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.start(pimtest.Program(d.t, "xfce4-panel", "xfce4-panel"), "--sm-client-disable", "--disable-wm-check")
}

// shot is what is on the screen: a file in the format of xwd, with 32 bits a pixel.
func (d *desktop) shot() *image.RGBA {
	d.t.Helper()
	raw, err := os.ReadFile(d.screen)
	if err != nil {
		d.t.Fatal(err)
	}
	field := func(i int) int { return int(binary.BigEndian.Uint32(raw[4*i:])) }
	width, height, stride := field(4), field(5), field(12)
	at := field(0) + 12*field(19) // after the header and the colours
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			p := raw[at+y*stride+4*x:]
			img.SetRGBA(x, y, color.RGBA{p[2], p[1], p[0], 0xff})
		}
	}
	return img
}

// keep leaves a picture of the screen among the artifacts of the test, for who wants to look at it.
func (d *desktop) keep(name string) {
	d.t.Helper()
	f, err := os.Create(filepath.Join(d.t.ArtifactDir(), name+".png"))
	if err == nil {
		err = png.Encode(f, d.shot())
		f.Close()
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// dots is how many pixels of the screen have just this colour.
func dots(img *image.RGBA, c color.NRGBA) (n int) {
	for i := 0; i < len(img.Pix); i += 4 {
		if img.Pix[i] == c.R && img.Pix[i+1] == c.G && img.Pix[i+2] == c.B {
			n++
		}
	}
	return n
}
