package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

// meter is a TCP relay that counts what passes, headers and all.
type meter struct {
	addr, target string
	octets       atomic.Int64
}

func newMeter(b *testing.B, target string) *meter {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	m := &meter{addr: l.Addr().String(), target: target}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go m.relay(c)
		}
	}()
	return m
}

func (m *meter) relay(client net.Conn) {
	server, err := net.Dial("tcp", m.target)
	if err != nil {
		client.Close()
		return
	}
	pass := func(to, from net.Conn) {
		defer to.Close()
		io.Copy(io.MultiWriter(to, m), from) //nolint:errcheck // who has gone needs no answer
	}
	go pass(server, client)
	pass(client, server)
}

// Write counts.
func (m *meter) Write(b []byte) (int, error) {
	m.octets.Add(int64(len(b)))
	return len(b), nil
}

// during is how many octets pass while fn runs.
func (m *meter) during(fn func()) int64 {
	before := m.octets.Load()
	fn()
	return m.octets.Load() - before
}

// wire is what a sync without changes and one with one changed contact take, both ways together.
type wire struct {
	quiet, changed int64
	exchange       control.Exchange // that of the change; ours only
}

func (w wire) String() string {
	s := fmt.Sprintf("%d octets; %d without change", w.changed, w.quiet)
	if x := w.exchange; x.RoundTrips > 0 {
		s += fmt.Sprintf("; without HTTP %d in %d round trips", x.BytesOut+x.BytesIn, x.RoundTrips)
	}
	return s
}

// typical is a contact of about 500 octets, as the average of real ones.
func typical() (i int) {
	for j := range 100 {
		if abs(len(card(j, 1))-500) < abs(len(card(i, 1))-500) {
			i = j
		}
	}
	return i
}

func abs(n int) int { return max(n, -n) }

func onTheWire(b *testing.B, t *table, n int) {
	b.Helper()
	const few = 200 // what CardDAV takes grows with the collection, ours does not
	n = min(n, few)
	size := len(card(typical(), 2))
	binary, text := wireOurs(b, n)
	what := fmt.Sprintf("one contact of %d octets changed, of %d, with HTTP", size, n)
	t.add(what+": WBXML", binary.String(), "≤ 2 KB without HTTP "+tick(binary.exchange.BytesOut+binary.exchange.BytesIn <= 2048), "")
	t.add(what+": XML", text.String(), "", fmt.Sprintf("%.1f× WBXML", float64(text.changed)/float64(binary.changed)))
	dav, err := wireDAV(b, n)
	if err != nil {
		t.add(what+": CardDAV (vdirsyncer, Radicale)", "not measured", "", err.Error())
		return
	}
	t.add(what+": CardDAV (vdirsyncer, Radicale)", dav.String(), "", fmt.Sprintf("%.1f× WBXML", float64(dav.changed)/float64(binary.changed)))
}

var serverURL = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/ds`)

// wireOurs counts within a logical session that is open already, first in WBXML, then in XML.
func wireOurs(b *testing.B, n int) (binary, text wire) {
	b.Helper()
	w := testenv.New(b, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"device"}})
	d := w.Devices[0]
	conf, err := os.ReadFile(d.Config())
	if err != nil {
		b.Fatal(err)
	}
	m := newMeter(b, string(serverURL.FindSubmatch(conf)[1]))
	for i := range n {
		put(b, d, i, 1)
	}
	run := func(encoding string, version int) (out wire) {
		d.Kill()
		changed := strings.Replace(serverURL.ReplaceAllString(string(conf), "http://"+m.addr+"/ds"), "[account]", "[account]\nencoding = \""+encoding+"\"", 1)
		if err := os.WriteFile(d.Config(), []byte(changed), 0o600); err != nil {
			b.Fatal(err)
		}
		d.Start()
		ready(b, d, n)
		d.On()
		inSync(b, d, n, time.Now())
		exchange(b, d, "", 0)
		out.quiet = m.during(func() { exchange(b, d, "", 0) })
		out.changed = m.during(func() {
			from := time.Now()
			put(b, d, typical(), version)
			out.exchange = sent(b, d, 1, from)
		})
		return out
	}
	return run("wbxml", 2), run("xml", 3)
}

// wireDAV counts the same between vdirsyncer and Radicale.
func wireDAV(b *testing.B, n int) (out wire, err error) {
	b.Helper()
	for _, program := range []string{"vdirsyncer", "radicale"} {
		if _, err := exec.LookPath(program); err != nil {
			return out, fmt.Errorf("%s is not installed", program)
		}
	}
	dir := b.TempDir()
	local, remote := filepath.Join(dir, "local/c"), filepath.Join(dir, "store/collection-root/user/c")
	addr := "127.0.0.1:" + testenv.FreePort(b)
	m := newMeter(b, addr)
	err = errors.Join(os.MkdirAll(local, 0o700), os.MkdirAll(remote, 0o700), os.WriteFile(filepath.Join(remote, ".Radicale.props"), []byte(`{"tag": "VADDRESSBOOK"}`), 0o600),
		os.WriteFile(filepath.Join(dir, "radicale.conf"), fmt.Appendf(nil, radicaleConf, addr, dir), 0o600),
		os.WriteFile(filepath.Join(dir, "vdirsyncer.conf"), fmt.Appendf(nil, vdirsyncerConf, dir, dir, m.addr), 0o600))
	if err != nil {
		return out, err
	}
	startDAV(b, dir, addr)
	write := func(i, version int) {
		err = errors.Join(err, os.WriteFile(filepath.Join(local, vcf(i)), []byte(card(i, version)), 0o600))
	}
	for i := range n {
		write(i, 1)
	}
	sync := func(args ...string) {
		cmd := exec.CommandContext(b.Context(), "vdirsyncer", append([]string{"-c", filepath.Join(dir, "vdirsyncer.conf")}, args...)...)
		if text, e := cmd.CombinedOutput(); e != nil {
			err = errors.Join(err, fmt.Errorf("%w: %s", e, text))
		}
	}
	sync("discover", "p")
	sync("sync", "p")
	sync("sync", "p")
	out.quiet = m.during(func() { sync("sync", "p") })
	write(typical(), 2)
	out.changed = m.during(func() { sync("sync", "p") })
	return out, err
}

// startDAV runs Radicale until the benchmark ends.
func startDAV(b *testing.B, dir, addr string) {
	b.Helper()
	cmd := exec.Command("radicale", "-C", filepath.Join(dir, "radicale.conf"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // it may have ended
		cmd.Wait()                                      //nolint:errcheck // it was killed
	})
	testenv.Ask(b, "Radicale is not ready", func(ctx context.Context) error {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			c.Close()
		}
		return err
	})
}

const radicaleConf = `[server]
hosts = %s
[auth]
type = none
[rights]
type = owner_only
[storage]
filesystem_folder = %s/store
[logging]
level = warning
`

const vdirsyncerConf = `[general]
status_path = "%s/status/"
[pair p]
a = "l"
b = "r"
collections = ["c"]
[storage l]
type = "filesystem"
path = "%s/local/"
fileext = ".vcf"
[storage r]
type = "carddav"
url = "http://%s/user/"
username = "user"
password = "x"
`
