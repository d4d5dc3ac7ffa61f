package mail

import (
	"bytes"
	"fmt"
	"io/fs"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// corpus are all real mails, by name.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	dir := pimtest.Shared(t, "corpus", "email")
	mails := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		mails[strings.TrimPrefix(path, dir)] = b
		return err
	})
	if err != nil || len(mails) < 300 {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	return mails
}

func TestEveryRealMailCanBeRead(t *testing.T) {
	from, subject, dated, attachments := 0, 0, 0, 0
	for name, msg := range corpus(t) {
		m := Parse(msg)
		from += min(len(m.From), 1)
		subject += min(len(m.Subject), 1)
		attachments += len(m.Attachments)
		if !m.Date.IsZero() {
			dated++
		}
		if !utf8.ValidString(m.Subject) || m.TextSize < 0 || m.TextSize > int64(len(msg)) {
			t.Errorf("%s: %+v", name, m)
		}
		lookLikeNetMail(t, name, msg, m)
	}
	t.Logf("from %d, subject %d, dated %d, attachments %d", from, subject, dated, attachments)
	if from < 250 || subject < 250 || dated < 200 || attachments < 80 {
		t.Errorf("too little was found: from %d, subject %d, dated %d, attachments %d", from, subject, dated, attachments)
	}
}

// lookLikeNetMail compares with the standard library where that can read the mail.
func lookLikeNetMail(t *testing.T, name string, msg []byte, m Message) {
	t.Helper()
	std, err := netmail.ReadMessage(bytes.NewReader(msg))
	if err != nil {
		return
	}
	if d, err := std.Header.Date(); err == nil && !d.Equal(m.Date) {
		t.Errorf("%s: date %v, not %v", name, m.Date, d)
	}
	parser := netmail.AddressParser{WordDecoder: decoder}
	if a, err := parser.ParseList(std.Header.Get("From")); err == nil && (len(m.From) == 0 || m.From[0].Addr != a[0].Address) {
		t.Errorf("%s: from %v, not %v", name, m.From, a)
	}
}

const invoice = "Received: by mx.example; Tue, 03 Mar 2026 10:00:05 +0000 (UTC)\r\n" +
	"From: =?utf-8?q?J=C3=BCrgen?= <j@customer.example>\r\nTo: Ann <ann@fleet.example>, bob@fleet.example\r\n" +
	"Cc: undisclosed-recipients:;\r\nSubject: =?iso-8859-1?q?Rechnung_M=E4rz?=\r\n and more\r\n" +
	"Date: Tue, 3 Mar 2026 10:00:00 +0000\r\nMessage-ID: <1@customer.example>\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=\"b1\"\r\n\r\nThis is MIME.\r\n" +
	"--b1\r\nContent-Type: multipart/alternative; boundary=b2\r\n\r\n" +
	"--b2\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\u00fc\u00dfe, see the invoice.\r\n" +
	"--b2\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Gr\u00fc\u00dfe, see the <b>invoice</b>.</p>\r\n--b2--\r\n" +
	"--b1\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''M%C3%A4rz.pdf\r\n" +
	"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQKJeLjz9MKMSAwIG9iag==\r\n--b1--\r\n"

func TestParse(t *testing.T) {
	got := Parse([]byte(invoice))
	want := Message{
		From: []Address{{"J\u00fcrgen", "j@customer.example"}}, To: []Address{{"Ann", "ann@fleet.example"}, {"", "bob@fleet.example"}},
		Subject: "Rechnung M\u00e4rz and more", MessageID: "<1@customer.example>",
		Date: time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC), Received: time.Date(2026, 3, 3, 10, 0, 5, 0, time.UTC),
		TextSize:    25 + 39,
		Attachments: []Attachment{{Name: "M\u00e4rz.pdf", Type: "application/pdf", Size: 22}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestBrokenHeadersAreReadAsFarAsTheyGo(t *testing.T) {
	msg := []byte("From nobody Mon Jan  5 2026\nFrom: Smith, Ann <ann@x.example>, bad@@y\nSubject: \xe4rger\tnow =?x-none?q?a?=\n" +
		"a line that is none\n of its own\nDate: 2026-03-03T10:00:00Z\nContent-Type: text/plain; charset=us-ascii; charset=utf-8;; x\n\nhello")
	m := Parse(msg)
	if m.Subject != "\u00e4rger now =?x-none?q?a?=" || m.Date.IsZero() || m.TextSize != 5 || len(m.From) != 3 || m.From[1].Addr != "ann@x.example" {
		t.Errorf("%+v", m)
	}
}

func TestFlagNames(t *testing.T) {
	if got := fmt.Sprint(FlagNames("DFPRSTXaz")); got != "[draft flagged forwarded answered seen deleted keyword-a keyword-z]" {
		t.Error(got)
	}
	for name, want := range map[string]byte{`\Seen`: 'S', "read": 'S', "$Forwarded": 'P', "ANSWERED": 'R', "keyword-c": 'c', "keyword-cc": 0, "x": 0} {
		if got, _ := FlagOf(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
