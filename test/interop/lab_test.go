// Package interop proves the protocol against programs that nobody here wrote: SyncEvolution as client and as server, and libwbxml as
// second opinion on every message. Each scenario runs in all pairs and both encodings; README.md is the table that comes out.
package interop

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// SyncEvolution sleeps a second for each changed side: its runs hardly need a processor and may lie side by side.
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		f.Value.Set("8") //nolint:errcheck // it is a number
	}
	code := m.Run()
	if labDir != "" {
		os.RemoveAll(labDir)
	}
	os.Exit(code)
}

// labDir holds what all scenarios share: the preloaded libraries that make Debian's package usable (peers.md 3).
var labDir string

// needs are the programs of the peers and the packages that bring them.
var needs = map[string]string{
	"syncevolution": "syncevolution", "/usr/bin/syncevo-http-server": "syncevolution-http", "/usr/libexec/syncevo-dbus-server": "syncevolution-dbus",
	"dbus-daemon": "dbus", "dbus-send": "dbus", "gcc": "gcc libc6-dev", "wbxml2xml": "libwbxml2-utils",
}

// missing names the packages that are not there.
func missing() []string {
	var out []string
	for program, pkg := range needs {
		if _, err := exec.LookPath(program); err != nil {
			out = append(out, pkg)
		}
	}
	if exec.Command("/usr/bin/python3", "-c", "import twisted, dbus, gi, OpenSSL").Run() != nil {
		out = append(out, "python3-twisted", "python3-dbus", "python3-gi", "python3-openssl")
	}
	return out
}

// buildShims compiles the libraries: curlfix keeps Debian's client from crashing in every HTTP sync, resumefix lets its server say that it
// can resume.
func buildShims(shared string) (string, error) {
	dir, err := os.MkdirTemp("", "alwayson-interop-")
	if err != nil {
		return "", err
	}
	for _, name := range []string{"curlfix", "resumefix"} {
		src := filepath.Join(shared, "peers", "syncevolution", "shim", name+".c")
		out, err := exec.Command("gcc", "-O2", "-shared", "-fPIC", "-o", filepath.Join(dir, name+".so"), src, "-ldl").CombinedOutput()
		if err != nil {
			return dir, fmt.Errorf("%v: %s", err, out)
		}
	}
	return dir, nil
}

// home is one installation of SyncEvolution: its configuration, state and data.
type home struct {
	t   testing.TB
	dir string
	env []string
	now time.Time // given to the next file that is written; see write
}

func newHome(t testing.TB, name string) *home {
	dir := t.TempDir()
	if keep := os.Getenv("INTEROP_KEEP"); keep != "" { // to read SyncEvolution's logs afterwards
		dir = filepath.Join(keep, t.Name())
	}
	h := &home{t: t, dir: filepath.Join(dir, name), now: time.Now().Add(-time.Hour)}
	run := filepath.Join(h.dir, "run")
	if err := os.MkdirAll(run, 0o700); err != nil {
		t.Fatal(err)
	}
	h.env = []string{"HOME=" + h.dir, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "XDG_CONFIG_HOME=" + h.dir + "/config", "XDG_CACHE_HOME=" + h.dir + "/cache",
		"XDG_DATA_HOME=" + h.dir + "/share", "XDG_RUNTIME_DIR=" + run}
	return h
}

// sources are how SyncEvolution calls our datastores, and what it keeps in them.
var sources = map[string]struct{ name, format string }{
	"contacts": {"addressbook", "text/vcard"}, "calendar": {"calendar", "text/calendar"}, "tasks": {"todo", "text/calendar"}, "notes": {"memo", "text/plain"},
}

// kinds are the datastores in a fixed order.
var kinds = []string{"contacts", "calendar", "tasks", "notes"}

// data is the folder of a datastore.
func (h *home) data(store string) string { return filepath.Join(h.dir, "data", store) }

// configureSources makes the file datastores of a context like "@default".
func (h *home) configureSources(at string, props ...string) {
	args := append([]string{"--configure", "--template", "none", "keyring=no"}, props...)
	for _, k := range kinds {
		s := sources[k]
		args = append(args, s.name+"/backend=file", s.name+"/database=file://"+h.data(k), s.name+"/databaseFormat="+s.format)
		if err := os.MkdirAll(h.data(k), 0o700); err != nil {
			h.t.Fatal(err)
		}
	}
	h.mustRun(append(args, at, "addressbook", "calendar", "todo", "memo")...)
}

// command is a call of syncevolution that does not look for a running one.
func (h *home) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "syncevolution", append([]string{"--daemon=no"}, args...)...)
	cmd.Env = append(h.env, "LD_PRELOAD="+filepath.Join(labDir, "curlfix.so"))
	return cmd
}

func (h *home) mustRun(args ...string) {
	h.t.Helper()
	if out, err := h.command(h.t.Context(), args...).CombinedOutput(); err != nil {
		h.t.Fatalf("syncevolution %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// write puts a file into a datastore. SyncEvolution compares whole seconds, so each file gets a second of its own instead of a pause.
func (h *home) write(store, name, body string) {
	h.t.Helper()
	path := filepath.Join(h.data(store), name)
	h.now = h.now.Add(2 * time.Second)
	if err := errors.Join(os.WriteFile(path, []byte(body), 0o600), os.Chtimes(path, h.now, h.now)); err != nil {
		h.t.Fatal(err)
	}
}

// dirItems are the files of a folder.
func dirItems(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		body, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(body)
	}
	return out
}
