package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/creds"
)

const document = "../../../dm/cp/testdata/ds-dm.wbxml"

// TestSetup writes the configuration with the secret beside it, tells what it was and what to type, asks before it replaces anything, and changes nothing if
// the document cannot be used.
func TestSetup(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	path, secret := filepath.Join(dir, "alwayson.toml"), filepath.Join(dir, "secret")
	broken := filepath.Join(t.TempDir(), "broken.xml")
	if err := os.WriteFile(broken, []byte(`<wap-provisioningdoc><characteristic type="APPLICATION"><parm name="APPID" value="w5"/></characteristic></wap-provisioningdoc>`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, in string
		args     []string
		code     int
		said     []string
		device   string // in the file afterwards, "" if there is none
	}{
		{"nobody to ask", "", nil, exitUsage, []string{"nobody to ask", "nothing was changed"}, ""},
		{"one that is not there", "", []string{"--provision", "nothing"}, exitUsage, []string{"nothing"}, ""},
		{"a bad one", "", []string{"--provision", broken}, exitConfig, []string{"--device ID", "no address", "no datastore", "nothing was changed"}, ""},
		{"a good one", "", []string{"--provision", document}, exitOK, []string{"https://sync.example.org:8443/ds", "image/jpeg", "alwayson service install --config", "alwayson on --config"}, "laptop"},
		{"again without an answer", "", []string{"--provision", document, "--device", "x"}, exitUsage, []string{"Replace", "nothing was changed", "--yes"}, "laptop"},
		{"again with no", "n\n", []string{"--provision", document, "--device", "x"}, exitUsage, []string{"nothing was changed"}, "laptop"},
		{"again with yes", "y\n", []string{"--provision", document, "--device", "other"}, exitOK, []string{"written"}, "other"},
		{"again with --yes", "", []string{"--provision", document, "--yes", "--json"}, exitOK, []string{`"account.user": "ana"`}, "laptop"},
		{"a bad one over a good one", "", []string{"--provision", broken, "--yes"}, exitConfig, []string{"nothing was changed"}, "laptop"},
	} {
		var out bytes.Buffer
		code := Run(t.Context(), append([]string{"setup", "--config", path}, c.args...), strings.NewReader(c.in), &out, &out)
		for _, want := range c.said {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is not in %s", c.name, want, out.String())
			}
		}
		text, err := os.ReadFile(path)
		if code != c.code || (err == nil) != (c.device != "") || !strings.Contains(string(text), c.device) || strings.Contains(out.String(), "s3cret") {
			t.Errorf("%s: exit code %d, want %d; %s\n%s", c.name, code, c.code, text, out.String())
		}
	}
	at := creds.Place{File: secret}
	if got, err := at.Read(t.Context()); err != nil || got != "s3cret-of-the-device" || runtime.GOOS == "linux" && !at.Sealed() {
		t.Errorf("%q, %v", got, err)
	}
	fi, err := os.Stat(secret)
	if err != nil || runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi, err)
	}
}
