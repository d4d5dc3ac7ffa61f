package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
)

func load(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "alwayson.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := config.ReadFrom(config.Sources{User: path})
	if err != nil {
		return nil, err
	}
	return f.With(nil)
}

const good = `device = "d"
[account]
server = "https://sync.example.org/ds"
user = "ana"
secret_file = "secret"
[[store]]
name = "contacts"
kind = "contacts"
dir = "c"
`

// TestTheSampleIsGood also with everything switched on that is commented out in it.
func TestTheSampleIsGood(t *testing.T) {
	text, err := os.ReadFile("../../../configs/alwayson.toml")
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	alternative := regexp.MustCompile(`^# (keyring|secret_command) =`) // in place of secret_file
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "# "); ok && !alternative.MatchString(line) && strings.Contains(rest, " = ") {
			line = rest
		}
		all += line
	}
	for _, s := range []string{string(text), all} {
		c, err := load(t, s)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Stores) != 3 || c.Push.User != "laptop" || c.Session.Attempts != 8 {
			t.Errorf("%+v", c)
		}
	}
}

// TestTheBrokerGetsTheCertificateOfTheAccount unless it has one of its own.
func TestTheBrokerGetsTheCertificateOfTheAccount(t *testing.T) {
	with := strings.Replace(good, "user =", "ca_file = \"ca\"\ncert_file = \"c\"\nkey_file = \"k\"\nuser =", 1)
	c, err := load(t, with)
	if err != nil || !filepath.IsAbs(c.Push.CertFile) || c.Push.CertFile != c.Account.CertFile || c.Push.KeyFile != c.Account.KeyFile || c.Push.CAFile != c.Account.CAFile {
		t.Errorf("%+v %v", c, err)
	}
	c, err = load(t, with+"[push]\ncert_file = \"b\"\nkey_file = \"l\"\n")
	if err != nil || filepath.Base(c.Push.CertFile) != "b" || filepath.Base(c.Account.CertFile) != "c" {
		t.Errorf("%+v %v", c, err)
	}
}

func TestPathsStartAtTheFile(t *testing.T) {
	c, err := load(t, good)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{c.Account.SecretFile, c.Stores[0].Dir, c.State, c.Socket} {
		if !filepath.IsAbs(p) {
			t.Errorf("%s is not absolute", p)
		}
	}
	if c.Stores[0].Remote != "contacts" || c.Push.SecretFile != c.Account.SecretFile {
		t.Errorf("%+v", c)
	}
}

// TestMistakesAreNamed with the line, a suggestion, and all at once.
func TestMistakesAreNamed(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"an unknown key", strings.Replace(good, "server =", "sever =", 1), "line 3: unknown key account.sever (did you mean account.server?)"},
		{"an unknown table", good + "[sesion]\n", "unknown key sesion (did you mean session?)"},
		{"something quite unknown", good + "xyzzy = 1\n", "unknown key store.xyzzy"},
		{"a wrong type", strings.Replace(good, `"d"`, "5", 1), "line 1"},
		{"bad TOML", good + "[[[", "line 10"},
		{"a bad duration", good + "[session]\npoll = \"soon\"\n", `"soon" is no duration`},
		{"a secret in the address", strings.Replace(good, "https://", "https://ana:geheim@", 1), "user and secret do not belong in the address"},
		{"no TLS word", strings.Replace(good, "https://", "ftp://", 1), "is no address like https://host"},
		{"a certificate without its key", strings.Replace(good, "user =", "cert_file = \"c\"\nuser =", 1), "account.cert_file and account.key_file belong together"},
		{"a certificate in the clear", strings.Replace(strings.Replace(good, "https:", "http:", 1), "user =", "cert_file = \"c\"\nkey_file = \"k\"\nuser =", 1), "over https only"},
		{"a typo in it", strings.Replace(good, "user =", "cert_flie = \"c\"\nuser =", 1), "did you mean account.cert_file?"},
		{"a device that could reach other topics", strings.Replace(good, `"d"`, `"a/b"`, 1), "must be 1 to 64 letters"},
		{"an unknown kind", strings.Replace(good, `kind = "contacts"`, `kind = "contact"`, 1), "is none of contacts, calendar, tasks, notes, mail"},
		{"an unknown policy", good + "conflicts = \"mine\"\n", "conflicts: \"mine\" is none of merge, keep-both, server, device"},
		{"no store", good[:strings.Index(good, "[[store]]")], "there is no [[store]]"},
		{"two of a name", good + good[strings.Index(good, "[[store]]"):], "store contacts is there twice"},
		{"two places of a secret", strings.Replace(good, "user =", "keyring = true\nuser =", 1), "account.secret_file and account.keyring both say where the secret is: keep one of them"},
		{"two places of the broker's", good + "[push]\nkeyring = true\nsecret_command = \"pass b\"\n", "push.keyring and push.secret_command both say"},
		{"a quote that is open", strings.Replace(good, "secret_file = \"secret\"", "secret_command = \"pass 'a\"", 1), "account.secret_command: a ' is missing at the end"},
		{"several", "device = \"\"\n[account]\nuser = \"\"\n", "account.user is missing; account.secret_file is missing (or keyring = true, or secret_command): it says where the secret is; there is no [[store]]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, c.text)
			var bad *config.Error
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestSecretsAreKeptFromOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if _, err := config.ReadSecret(path); err == nil || !strings.Contains(err.Error(), "alwayson login") {
		t.Errorf("no secret: %v", err)
	}
	if err := config.WriteSecret(path, "geheim"); err != nil {
		t.Fatal(err)
	}
	if s, err := config.ReadSecret(path); err != nil || s != "geheim" {
		t.Errorf("read %q, %v", s, err)
	}
	if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // that is what must be refused
		t.Fatal(err)
	}
	if _, err := config.ReadSecret(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable for all: %v", err)
	}
}

// TestWhereSecretsAre: the broker gets that of the account, unless it says where its own is.
func TestWhereSecretsAre(t *testing.T) {
	in := func(secret, push string) string {
		return strings.Replace(good, "secret_file = \"secret\"", secret, 1) + "[push]\n" + push
	}
	for _, c := range []struct {
		name, text string
		push       config.Secret
		own        bool
	}{
		{"of the account", in("keyring = true", ""), config.Secret{Keyring: true}, false},
		{"an entry of its own", in("keyring = true", "keyring = true\n"), config.Secret{Keyring: true}, true},
		{"a command", in("keyring = true", "secret_command = \"pass show b\"\n"), config.Secret{Command: "pass show b"}, true},
		{"the command of the account", in("secret_command = \"pass show a\"", ""), config.Secret{Command: "pass show a"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := load(t, c.text)
			if err != nil || got.Push.Secret() != c.push || got.OwnPushSecret() != c.own {
				t.Errorf("%+v %v", got, err)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"pass show alwayson": {"pass", "show", "alwayson"}, ` a  'b c' d"e f"g "" `: {"a", "b c", "de fg", ""}, `C:\bin\get.exe $HOME;x`: {`C:\bin\get.exe`, "$HOME;x"},
	} {
		if got, err := config.Words(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q %v", text, got, err)
		}
	}
	for _, text := range []string{"", " ", "''", "a \"b"} {
		if got, err := config.Words(text); err == nil {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestWhatOthersCanRead(t *testing.T) {
	for address, want := range map[string]bool{
		"http://sync.example.org/ds": true, "mqtt://10.1.2.3": true, "ws://push.example.org:8083/mqtt": true, "http://0.0.0.0": true,
		"https://sync.example.org/ds": false, "mqtts://10.1.2.3": false, "wss://push.example.org": false,
		"http://localhost:8080/ds": false, "http://127.0.0.1/ds": false, "mqtt://[::1]:1883": false, "": false, "none": false,
	} {
		if got := config.Readable(address); got != want {
			t.Errorf("%q: %t", address, got)
		}
	}
}
