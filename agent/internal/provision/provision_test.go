package provision_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/provision"
	"github.com/alwayson-sync/alwayson/dm/cp"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

func parse(t *testing.T, in []byte) *cp.Characteristic {
	t.Helper()
	doc, err := cp.Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func file(t *testing.T, path string) *cp.Characteristic {
	t.Helper()
	in, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, in)
}

// TestADocumentBecomesAConfiguration: of w5 and w7 together, as the agent reads it.
func TestADocumentBecomesAConfiguration(t *testing.T) {
	p, mistakes := provision.Make(file(t, "../../../dm/cp/testdata/ds-dm.wbxml"), provision.Wish{Folder: "/data"})
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	want := &provision.Plan{Device: "laptop", ServerID: "alwayson-server", Secret: "s3cret-of-the-device",
		Settings: map[string]string{"account.server": "https://sync.example.org:8443/ds", "account.user": "ana", "account.auth": "md5", "push.broker": "mqtts://sync.example.org:8883"},
		Stores: []provision.Store{{Name: "contacts", Kind: "contacts", Dir: "/data/contacts", Remote: "addressbook"}, {Name: "calendar", Kind: "calendar", Dir: "/data/calendar"},
			{Name: "tasks", Kind: "tasks", Dir: "/data/tasks"}, {Name: "mail", Kind: "mail", Dir: "/data/mail"}},
		LeftOut: []string{"the ways to the network (NAP1): the system's are used", "the datastore ./pictures: image/jpeg"},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	text, err := p.TOML()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "alwayson.toml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Device != "laptop" || c.Account.Server != p.Settings["account.server"] || c.Account.ServerID != "alwayson-server" || c.Push.Broker != p.Settings["push.broker"] ||
		len(c.Stores) != 4 || c.Stores[0].Remote != "addressbook" || c.Stores[3].Remote != "mail" || strings.Contains(string(text), p.Secret) {
		t.Errorf("%+v\n%s", c, text)
	}
}

// TestDocumentsOfOthers: what phones were set up with sets this program up, too, where it can do the same.
func TestDocumentsOfOthers(t *testing.T) {
	dir := filepath.Join(pimtest.Shared(t), "corpus/san/omacp")
	p, mistakes := provision.Make(file(t, filepath.Join(dir, "ota.syncml")), provision.Wish{Device: "phone", Folder: "/data"})
	if len(mistakes) > 0 || p.Secret != "password" || p.Settings["account.user"] != "username" || len(p.Stores) != 3 || p.Stores[1].Remote != "cal" {
		t.Errorf("%+v, %v", p, mistakes)
	}
	for name, want := range map[string]string{"prov_dna_1.wbxml": "0 accounts of data synchronization"} {
		if _, mistakes := provision.Make(file(t, filepath.Join(dir, name)), provision.Wish{Device: "phone", Folder: "/data"}); !strings.Contains(strings.Join(mistakes, "; "), want) {
			t.Errorf("%s: %v", name, mistakes)
		}
	}
}

// application is a document with one account.
func application(parts string) string {
	return `<characteristic type="APPLICATION"><parm name="APPID" value="w5"/>` + parts + `</characteristic>`
}

const (
	addr     = `<parm name="ADDR" value="https://sync.example.org/ds"/>`
	ana      = `<characteristic type="APPAUTH"><parm name="AAUTHNAME" value="ana"/></characteristic>`
	contacts = `<characteristic type="RESOURCE"><parm name="URI" value="contacts"/><parm name="AACCEPT" value="text/vcard"/></characteristic>`
)

// TestMistakesAreAllNamed: whatever is wrong is said at once.
func TestMistakesAreAllNamed(t *testing.T) {
	for name, c := range map[string]struct {
		doc  string
		want []string // as many as there are
	}{
		"good":    {application(addr + ana + contacts), nil},
		"nothing": {"", []string{"0 accounts of data synchronization"}},
		"two":     {application(addr) + application(addr), []string{"2 accounts of data synchronization"}},
		"empty":   {application(""), []string{"no address", "does not name the user", "no datastore"}},
		"a strange address and proof": {application(strings.Replace(addr, "https", "gopher", 1) + contacts +
			`<characteristic type="APPAUTH"><parm name="AAUTHNAME" value="ana"/><parm name="AAUTHTYPE" value="X509"/></characteristic>`), []string{"X509", "account.server"}},
		"a secret in the open": {application(strings.Replace(addr, "https", "http", 1) + contacts +
			`<characteristic type="APPAUTH"><parm name="AAUTHNAME" value="ana"/><parm name="AAUTHTYPE" value="BASIC"/></characteristic>`), []string{"sends the secret readably"}},
		"pictures only": {application(addr + ana + strings.Replace(contacts, "text/vcard", "image/png", 1)), []string{"no datastore"}},
		"twice":         {application(addr + ana + contacts + contacts + contacts), []string{"contacts is there twice", "contacts is there twice"}},
		"another manager": {application(addr+ana+contacts+`<parm name="PROVIDER-ID" value="a"/>`) +
			strings.Replace(application(addr+`<parm name="PROVIDER-ID" value="b"/>`), "w5", "w7", 1), []string{"two servers"}},
	} {
		_, mistakes := provision.Make(parse(t, []byte("<wap-provisioningdoc>"+c.doc+"</wap-provisioningdoc>")), provision.Wish{Device: "d", Folder: "/data"})
		if len(mistakes) != len(c.want) {
			t.Errorf("%s: %q", name, mistakes)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(strings.Join(mistakes, "; "), want) {
				t.Errorf("%s: %q, want %q", name, mistakes, c.want[i])
			}
		}
	}
}

// TestWhatIsLeftOutIsSaid: a manager that is no broker, and a secret of its own.
func TestWhatIsLeftOutIsSaid(t *testing.T) {
	w7 := strings.Replace(application(addr+`<characteristic type="APPAUTH"><parm name="AAUTHSECRET" value="other"/></characteristic>`), "w5", "w7", 1)
	p, mistakes := provision.Make(parse(t, []byte("<wap-provisioningdoc>"+application(addr+ana+contacts)+w7+"</wap-provisioningdoc>")), provision.Wish{Device: "d", Folder: "/data"})
	left := strings.Join(p.LeftOut, "; ")
	if len(mistakes) > 0 || !strings.Contains(left, "push.broker") || !strings.Contains(left, "secret of device management") || strings.Contains(left, "other") {
		t.Errorf("%q, %q", left, mistakes)
	}
}
