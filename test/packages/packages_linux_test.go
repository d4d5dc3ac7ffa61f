// Package packages builds what is released, twice, and installs it.
package packages

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

const (
	version = "1.2.3"
	largest = 20_000_000 // octets of the agent
	root    = "../.."
)

// origin: epoch and commit do not matter; a copy of the sources cannot ask git for them.
var origin = []string{"TARGETS=linux/" + runtime.GOARCH, "SOURCE_DATE_EPOCH=1700000000", "COMMIT=0123456789abcdef0123456789abcdef01234567"}

// build runs the script in a checkout and returns where the results are.
func build(t *testing.T, checkout string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "dist")
	cmd := exec.Command("packaging/build.sh", version)
	cmd.Dir = checkout
	cmd.Env = append(os.Environ(), append(origin, "OUT="+out)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

// elsewhere is a copy of the files of this checkout, without git, in another folder.
func elsewhere(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("sh", "-c", `git ls-files -z | tar --null --ignore-failed-read -T - -cf - | tar -C "$0" -xf -`, dir)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

func sums(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][32]byte)
	for _, e := range list {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = sha256.Sum256(text)
	}
	return out
}

// TestPackages builds everything twice, in two places and at two times, compares the bytes, looks inside, and takes the Debian packages through their life.
func TestPackages(t *testing.T) {
	pimtest.Program(t, "zip", "zip")
	pimtest.Program(t, "dpkg", "dpkg")
	pimtest.Program(t, "systemd-analyze", "systemd")
	here, there := elsewhere(t), elsewhere(t) // before the first build takes its time, in which somebody may go on writing
	dist := build(t, here)
	first := sums(t, dist)
	if diff := cmp.Diff(first, sums(t, build(t, there))); diff != "" {
		t.Errorf("another build gives other bytes: %s", diff)
	}
	if want := 3*3 + 1 + 3 + 1; len(first) != want { // deb, rpm, apk of each program, archive, SBOM of each, sums
		t.Errorf("%d results, want %d: %v", len(first), want, first)
	}
	small(t, dist)
	bill(t, dist, "alwayson", "github.com/kardianos/service")
	bill(t, dist, "alwayson-tray", "fyne.io/systray")
	lifecycle(t, dist)
}

func small(t *testing.T, dist string) {
	t.Helper()
	dir := t.TempDir()
	name := "alwayson-" + version + "-linux-" + runtime.GOARCH
	if out, err := exec.Command("tar", "-C", dir, "-xzf", filepath.Join(dist, name+".tar.gz")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	fi, err := os.Stat(filepath.Join(dir, name, "alwayson"))
	if err != nil {
		t.Fatal(err)
	}
	if t.Logf("the agent has %d octets", fi.Size()); fi.Size() > largest {
		t.Errorf("the agent has %d octets, more than %d", fi.Size(), largest)
	}
}

// bill looks whether the list of what is inside a program names a library that is.
func bill(t *testing.T, dist, program, library string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dist, program+"-"+version+"-linux-"+runtime.GOARCH+".cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		BomFormat  string `json:"bomFormat"`
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	for _, c := range list.Components {
		if c.Name == library && c.Version != "" && list.BomFormat == "CycloneDX" {
			return
		}
	}
	t.Errorf("%+v", list)
}

// copied is this machine once more, for the script in it only: what is written goes to memory.
const copied = `set -e
mount -t tmpfs tmpfs "$0"
cd "$0"
mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root
mount -t proc proc root/proc
mount --rbind /dev root/dev
mkdir root/debs
cp "$1"/*.deb root/debs/
cp "$3" root/debs/
exec chroot root env PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh /debs/lifecycle.sh "$2"
`

func lifecycle(t *testing.T, dist string) {
	t.Helper()
	script, err := filepath.Abs("testdata/lifecycle.sh")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", copied, t.TempDir(), dist, version, script}
	if os.Getuid() != 0 {
		args = append([]string{"sudo", "-n"}, args...)
	}
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil || !bytes.HasSuffix(out, []byte("it was all as it should be\n")) {
		t.Errorf("%v\n%s", err, strings.TrimSpace(string(out)))
	}
}
