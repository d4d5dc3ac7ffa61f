package bundle_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/bundle"
	"github.com/alwayson-sync/alwayson/agent/internal/doctor"
)

// planted are secrets and persons, wherever they may stand.
var planted = []string{"s3cr3t-of-ana", "proxypw", "brokerpw", "tok-123456", "ana.gomez@example.org", "Ana.Gomez", "carla-private.vcf", "MIIEvQ", "/home/ana", "c2VjcmV0"}

func full() *bundle.Bundle {
	return &bundle.Bundle{
		Version: "1.2.3", System: "linux/amd64", At: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC),
		Findings: []doctor.Finding{{ID: "server.reach", State: doctor.Fault, Text: "cannot reach http://ana:proxypw@proxy.example.org:3128"}},
		Status:   &control.Status{User: "Ana.Gomez", Server: "https://sync.example.org/ds", Reason: "server said: password=s3cr3t-of-ana", Device: "laptop"},
		Log:      []control.Exchange{{Cause: "local change", Error: "Authorization: Basic c2VjcmV0 refused"}},
		Why:      []control.Why{{Why: "local change of carla-private.vcf"}},
		Pending:  []control.Pending{{Store: "contacts", Item: "family/carla-private.vcf", Problem: "/home/ana/Contacts/family/carla-private.vcf: no UID"}},
		Settings: []control.Setting{{Key: "network.proxy", Value: "http://proxy.example.org:3128"}},
		Config:   "device = \"laptop\"\n# ana.gomez@example.org wrote this\n[account]\nsecret_file = \"/home/ana/.config/alwayson/secret\"\npassword = \"brokerpw\"\n",
		Journal: "msg=\"login\" user=Ana.Gomez secret=s3cr3t-of-ana token: tok-123456\n-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n" +
			"mail from ana.gomez@example.org and ANA.GOMEZ@example.org\n",
		Crash:   "panic: s3cr3t-of-ana of ana.gomez@example.org: carla-private.vcf\n\ngoroutine 1 [running]:\n",
		Secrets: []string{"s3cr3t-of-ana"}, Users: []string{"Ana.Gomez", "ana"}, Home: "/home/ana",
	}
}

// TestNothingPersonalGetsOut: of the planted secrets and persons nothing is in any file, and what helps still is.
func TestNothingPersonalGetsOut(t *testing.T) {
	files, err := full().Files()
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := bundle.Write(&buf, files, time.Now()); err != nil {
		t.Fatal(err)
	}
	all := unpack(t, buf.Bytes())
	for _, s := range planted {
		if strings.Contains(strings.ToLower(all), strings.ToLower(s)) {
			t.Errorf("%q is in the bundle:\n%s", s, all)
		}
	}
	for _, s := range []string{"sync.example.org", "laptop", "<item 1>", "<address 1>", "~/.config/alwayson/secret", "1.2.3", "local change", "~/Contacts/<item 1>"} {
		if !strings.Contains(all, s) {
			t.Errorf("%q is missing:\n%s", s, all)
		}
	}
	if strings.Contains(all, "<address 2>") {
		t.Error("one address has two names")
	}
}

func unpack(t *testing.T, archive []byte) (all string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all += "== " + f.Name + "\n" + string(text) + "\n"
	}
	return all
}

// TestTheReadmeNamesEveryFile: who sends a bundle is told what is in it.
func TestTheReadmeNamesEveryFile(t *testing.T) {
	files, err := full().Files()
	if err != nil {
		t.Fatal(err)
	}
	readme := files[len(files)-1]
	if readme.Name != "README.txt" || len(files) != 10 {
		t.Fatalf("%d files, the last is %s", len(files), readme.Name)
	}
	for _, f := range files[:len(files)-1] {
		if !strings.Contains(readme.Text, f.Name) {
			t.Errorf("it does not name %s:\n%s", f.Name, readme.Text)
		}
	}
}
