package interop

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// mailbox is a Maildir that the agent keeps equal with a server while mail programs of others work in it.
type mailbox struct {
	*testing.T
	dir, home string
	site      *site.Site
	c         *control.Client
}

func newMailbox(t *testing.T) *mailbox {
	t.Helper()
	s := newOurServer(t)
	m := &mailbox{T: t, dir: filepath.Join(t.TempDir(), "Maildir"), home: t.TempDir(), site: s.site}
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(m.dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	base := t.TempDir()
	a, err := agent.Start(context.WithoutCancel(t.Context()), agent.Options{StateDir: filepath.Join(base, "state"), Socket: filepath.Join(base, "s"), Server: s.site.URL(),
		DeviceID: deviceID, User: user, Secret: s.secret, Version: "test", Stores: []agent.Store{{Name: "mail", Kind: pim.Mail, Dir: m.dir}},
		Push: agent.Push{Broker: s.site.BrokerURL(), Prefix: "alwayson", User: deviceID, MinPause: 10 * time.Millisecond, MaxPause: time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Stop() }) //nolint:errcheck // the test is over
	m.c = control.Dial(filepath.Join(base, "s"))
	t.Cleanup(m.c.Close)
	if _, err := m.c.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *mailbox) deliver(subject string) {
	m.Helper()
	body := fmt.Sprintf("Message-ID: <%s@x>\r\nFrom: Joe <joe@customer.example>\r\nTo: ana@example.org\r\nSubject: %[1]s\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n\r\nHello\r\n", subject)
	_, err := m.site.Server().Put(m.Context(), dsstore.Collection{User: user, Store: "mail"}, subject, pim.Item{Type: pim.TypeMessage, Body: []byte(body)})
	if err != nil {
		m.Fatal(err)
	}
}

// server is what the server holds: folder, subject and marks of each message.
func (m *mailbox) server() (out []string) {
	m.Helper()
	err := m.site.Store().View(m.Context(), func(tx dsstore.Tx) error {
		return dsstore.Each(tx, dsstore.Collection{User: user, Store: "mail"}, func(it dsstore.Item, body []byte) error {
			if _, after, ok := strings.Cut(string(body), "Subject: "); ok && it.Type == pim.TypeMessage {
				subject, _, _ := strings.Cut(after, "\r\n")
				out = append(out, it.Folder+"/"+subject+" "+string(it.Flags))
			}
			return nil
		})
	})
	if err != nil {
		m.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// becomes waits until the server holds just that and the device has nothing left to do.
func (m *mailbox) becomes(step string, want ...string) {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.Context(), 20*time.Second)
	defer cancel()
	for s, err := range m.c.Watch(ctx) {
		if err != nil {
			m.Fatal(err)
		}
		if s.State == "idle" && s.InSync() && cmp.Equal(want, m.server()) && m.files() == len(want) {
			return
		}
	}
	m.Fatalf("%s (-want +got):\n%s", step, cmp.Diff(want, m.server()))
}

// files counts the messages in the Maildir.
func (m *mailbox) files() (n int) {
	m.Helper()
	err := filepath.WalkDir(m.dir, func(path string, e fs.DirEntry, err error) error {
		if where := filepath.Base(filepath.Dir(path)); err == nil && !e.IsDir() && (where == "cur" || where == "new") {
			n++
		}
		return nil //nolint:nilerr // a file that is being renamed is counted the next time
	})
	if err != nil {
		m.Fatal(err)
	}
	return n
}

// run runs a mail program.
func (m *mailbox) run(name string, args ...string) string {
	m.Helper()
	cmd := exec.CommandContext(m.Context(), name, args...)
	cmd.Env = append(os.Environ(), "HOME="+m.home, "NOTMUCH_CONFIG="+filepath.Join(m.home, "notmuch"), "TERM=xterm", "MAILDIR="+m.dir, "USER=root")
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (m *mailbox) file(name, text string) string {
	m.Helper()
	path := filepath.Join(m.home, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		m.Fatal(err)
	}
	return path
}

// TestDovecot reads and changes a Maildir by way of Dovecot's own code while the agent keeps it equal, and its indexes are nobody's messages. Dovecot
// refuses to work for root, so it believes to be somebody else.
func TestDovecot(t *testing.T) {
	pimtest.Program(t, "doveadm", "dovecot-core")
	pimtest.Program(t, "unshare", "util-linux")
	m := newMailbox(t)
	for _, s := range []string{"four", "one", "three", "two"} {
		m.deliver(s)
	}
	m.becomes("delivered", "/four ", "/one ", "/three ", "/two ")
	conf := m.file("dovecot.conf", "mail_location = maildir:"+m.dir+"\nbase_dir = "+m.home+"/run\nlog_path = /dev/stderr\nssl = no\n")
	doveadm := func(args ...string) string {
		t.Helper()
		return m.run("unshare", append([]string{"--user", "--map-user=1000", "--map-group=1000", "doveadm", "-c", conf}, args...)...)
	}
	if got := doveadm("fetch", "hdr.subject", "mailbox", "INBOX", "all"); strings.Count(got, "hdr.subject: ") != 4 {
		t.Errorf("Dovecot finds %s", got)
	}
	doveadm("flags", "add", `\Seen \Flagged`, "mailbox", "INBOX", "subject", "one")
	m.becomes("marked", "/four ", "/one FS", "/three ", "/two ")
	doveadm("mailbox", "create", "Work")
	doveadm("move", "Work", "mailbox", "INBOX", "subject", "three")
	m.becomes("moved", "/four ", "/one FS", "/two ", "Work/three ")
	m.deliver("five")
	m.becomes("delivered meanwhile", "/five ", "/four ", "/one FS", "/two ", "Work/three ")
	if got := doveadm("fetch", "text", "mailbox", "INBOX", "subject", "five"); !strings.Contains(got, "Hello") {
		t.Errorf("Dovecot reads %s", got)
	}
	doveadm("expunge", "mailbox", "INBOX", "subject", "four")
	m.becomes("deleted", "/five ", "/one FS", "/two ", "Work/three ")
}

// TestMailPrograms: notmuch and mutt read what the agent writes, and what they mark, move and delete goes to the server, while the agent runs.
func TestMailPrograms(t *testing.T) {
	for program, pkg := range map[string]string{"notmuch": "notmuch", "mutt": "mutt", "script": "bsdutils"} {
		pimtest.Program(t, program, pkg)
	}
	m := newMailbox(t)
	for _, s := range []string{"four", "one", "three", "two"} {
		m.deliver(s)
	}
	m.becomes("delivered", "/four ", "/one ", "/three ", "/two ")

	m.file("notmuch", "[database]\npath="+m.dir+"\n[user]\nname=Ana\nprimary_email=ana@example.org\n[new]\ntags=unread\n[maildir]\nsynchronize_flags=true\n")
	m.run("notmuch", "new", "--quiet")
	if n := m.run("notmuch", "count", "*"); n != "4" {
		t.Errorf("notmuch finds %s messages", n)
	}
	m.run("notmuch", "tag", "+flagged", "-unread", "--", "subject:one")
	m.becomes("marked by notmuch", "/four ", "/one FS", "/three ", "/two ")

	mutt := func(keys string) {
		t.Helper()
		m.run("script", "-qec", "mutt -n -F /dev/null -f "+m.dir+" -e 'set delete=yes quit=yes mbox_type=Maildir confirmcreate=no confirmappend=no folder="+m.dir+`; push "`+
			keys+`<quit>"'`, "/dev/null")
	}
	mutt("<search>~s two<enter><set-flag>r")
	mutt("<search>~s three<enter><save-message>=.Work<enter>")
	m.becomes("marked and moved by mutt", "/four ", "/one FS", "/two RS", "Work/three ")

	m.deliver("five")
	m.becomes("delivered meanwhile", "/five ", "/four ", "/one FS", "/two RS", "Work/three ")
	m.run("notmuch", "new", "--quiet")
	if n := m.run("notmuch", "count", "*"); n != "5" {
		t.Errorf("notmuch finds %s messages in the end", n)
	}
	mutt("<delete-pattern>~s four<enter>")
	m.becomes("deleted by mutt", "/five ", "/one FS", "/two RS", "Work/three ")
}
