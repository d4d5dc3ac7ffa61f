package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	netmail "net/mail"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var policies = []Policy{
	{Body: Headers}, {Body: Text, Attachments: None}, {Body: Text}, {Body: Text, BodyLimit: 100, Attachments: None}, {Body: Text, BodyLimit: 2000, Attachments: 5000},
	{Attachments: None}, {Attachments: 1000}, {BodyLimit: 1}, {BodyLimit: 1000, Attachments: None}, {BodyLimit: 100000, Attachments: 20000},
}

func TestRealMailsUnderEveryPolicy(t *testing.T) {
	for name, msg := range corpus(t) {
		if out, partial := Reduce(msg, Policy{}); partial || &out[0] != &msg[0] {
			t.Errorf("%s: the policy for everything changed it", name)
		}
		for _, p := range policies {
			if err := check(msg, p); err != nil {
				t.Errorf("%s under %s: %v", name, p, err)
			}
		}
	}
}

// check is what holds for all messages and policies.
func check(msg []byte, p Policy) error {
	out, partial := Reduce(msg, p)
	if !partial {
		if !bytes.Equal(out, msg) {
			return fmt.Errorf("whole but changed")
		}
		return nil
	}
	m, ok := Partial(out)
	if !ok || m.Policy != p.clean() || !m.Unchanged || !m.Of(msg) || !SameMessage(out, msg) {
		return fmt.Errorf("marker %+v %v in %.80q", m, ok, out)
	}
	if !bytes.HasPrefix(withoutMarker(out), headerOf(msg)) {
		return fmt.Errorf("the header is not as it was")
	}
	if edited := append(bytes.Clone(out), "x"...); SameMessage(edited, msg) {
		return fmt.Errorf("an edit was not seen")
	}
	if again, _ := Reduce(msg, p); !bytes.Equal(again, out) {
		return fmt.Errorf("not the same the second time")
	}
	return checkRead(msg, out)
}

func withoutMarker(out []byte) []byte {
	at := bytes.Index(out, []byte(fieldPartial))
	return append(bytes.Clone(out[:at]), out[lineEnd(out, at):]...)
}

func headerOf(msg []byte) []byte {
	_, body := head(msg)
	return msg[:body]
}

// checkRead asks the standard library.
func checkRead(msg, out []byte) error {
	want, err := netmail.ReadMessage(bytes.NewReader(msg))
	if err != nil {
		return nil // it could not read the whole one
	}
	got, err := netmail.ReadMessage(bytes.NewReader(out))
	if err != nil {
		return err
	}
	if strings.EqualFold(firstName(msg), fieldPartial) {
		return nil
	}
	delete(got.Header, fieldPartial)
	if d := cmp.Diff(want.Header, got.Header); d != "" {
		return fmt.Errorf("header differs: %s", d)
	}
	return nil
}

func firstName(msg []byte) string {
	name, _, _ := strings.Cut(string(msg[:min(len(msg), 100)]), ":")
	return name
}

func TestTheGoldenExample(t *testing.T) {
	for name, p := range map[string]Policy{"text": {Body: Text, Attachments: None}, "headers": {Body: Headers}} {
		out, partial := Reduce([]byte(invoice), p)
		file := "testdata/invoice-" + name + ".eml"
		if os.Getenv("GOLDEN") != "" {
			if err := os.WriteFile(file, out, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || !partial {
			t.Fatal(partial, err)
		}
		if d := cmp.Diff(string(want), string(out)); d != "" {
			t.Errorf("%s (GOLDEN=1 writes it anew):\n%s", p, d)
		}
	}
}

func TestAPartialMessageTellsWhatWasLeftOut(t *testing.T) {
	out, _ := Reduce([]byte(invoice), Policy{Body: Text, Attachments: None})
	want := []Attachment{{Name: "M\u00e4rz.pdf", Type: "application/pdf", Size: 22, LeftOut: true}}
	if d := cmp.Diff(want, Parse(out).Attachments); d != "" {
		t.Error(d)
	}
}

func TestPoliciesArePrintedAndRead(t *testing.T) {
	for _, p := range append(policies, Policy{}) {
		if got, err := ParsePolicy(p.String()); err != nil || got != p.clean() {
			t.Errorf("%q: %+v %v", p, got, err)
		}
	}
	for _, bad := range []string{"body:some", "limit:1", "body:0", "body:-1", "attachments:x", "subject:x"} {
		if _, err := ParsePolicy(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func message(contentType, encoding, body string) []byte {
	return []byte("Subject: s\nContent-Type: " + contentType + "\nContent-Transfer-Encoding: " + encoding + "\n\n" + body)
}

func TestTextIsCutBetweenCharacters(t *testing.T) {
	umlauts := strings.Repeat("\u00e4", 100)
	for name, c := range map[string]struct {
		msg  []byte
		want string // what the text begins with, decoded, before the note
	}{
		"8bit":     {message("text/plain; charset=utf-8", "8bit", umlauts), strings.Repeat("\u00e4", 10) + "\n\n[The rest"},
		"base64":   {message("text/plain; charset=utf-8", "base64", base64.StdEncoding.EncodeToString([]byte(umlauts))), strings.Repeat("\u00e4", 7) + "\n\n[The rest"},
		"quoted":   {message("text/plain; charset=utf-8", "quoted-printable", strings.Repeat("=C3=A4", 50)), strings.Repeat("\u00e4", 3) + "\n\n[The rest"},
		"gb":       {message("text/plain; charset=gb2312", "8bit", "one\n\xc4\xe3\xba\xc3\xc4\xe3\xba\xc3\xc4\xe3\xba\xc3\xc4\xe3\xba\xc3\xc4\xe3\xba\xc3"), "one\n\n[The rest"},
		"html tag": {message("text/html", "8bit", "<p>hello <a href='http://x.example/'>x</a></p>"), "<p>hello \n<p>[The rest"},
		"html css": {message("text/html", "8bit", "<b>x</b><style>p { a: b; c: d }</style>"), "<b>x</b>\n<p>[The rest"},
		"utf-16":   {message("text/plain; charset=utf-16", "base64", strings.Repeat("AGEA", 20)), ""},
		"pgp":      {message("text/plain", "7bit", "-----BEGIN PGP MESSAGE-----\n\nabcdefgh\n"), "[The content"},
	} {
		out, partial := Reduce(c.msg, Policy{BodyLimit: 21})
		root := parseTree(out)
		if got := string(decode(root.content(), root.encoding)); !partial || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q does not begin with %q", name, got, c.want)
		}
		if err := check(c.msg, Policy{BodyLimit: 21}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignedAndEncryptedIsKeptOrLeftOutAsOne(t *testing.T) {
	sign := func(inner string) []byte {
		return []byte("Content-Type: multipart/signed; boundary=s; protocol=\"application/pgp-signature\"\n\n--s\n" + inner +
			"\n--s\nContent-Type: application/pgp-signature; name=signature.asc\n\nsig\n--s--\n")
	}
	text := sign("Content-Type: multipart/alternative; boundary=a\n\n--a\n\nplain\n--a\nContent-Type: text/html\n\n<b>html</b>\n--a--")
	pdf := sign("Content-Type: application/pdf\n\nbig")
	if out, partial := Reduce(text, Policy{Body: Text, Attachments: None}); partial {
		t.Errorf("a small signed text was changed:\n%s", out)
	}
	for _, p := range []Policy{{Attachments: None}, {Body: Headers}} {
		if out, _ := Reduce(pdf, p); bytes.Contains(out, []byte("\nbig")) || bytes.Contains(out, []byte("\nsig")) || !bytes.Contains(out, []byte("[The content")) {
			t.Errorf("%s: half of a signed message:\n%s", p, out)
		}
	}
	sealed := message("application/pkcs7-mime; name=smime.p7m", "base64", strings.Repeat("AAAA", 100))
	if out, partial := Reduce(sealed, Policy{Body: Text, Attachments: None}); partial {
		t.Errorf("an encrypted text was left out:\n%s", out)
	}
	if out, _ := Reduce(sealed, Policy{Body: Text, BodyLimit: 100}); bytes.Contains(out, []byte("AAAA")) {
		t.Errorf("an encrypted text was cut:\n%s", out)
	}
}

func TestAFormOfATextIsNotShadowedByWhatWasLeftOut(t *testing.T) {
	msg := []byte("Content-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/plain\n\nplain\n--a\nContent-Type: text/html\n\n" +
		strings.Repeat("<p>long</p>", 20) + "\n--a\nContent-Type: application/ics; name=invite.ics\n\nBEGIN:VCALENDAR\n--a--\n")
	for _, p := range []Policy{{Body: Text}, {BodyLimit: 50, Attachments: None}} {
		out, _ := Reduce(msg, p)
		root := parseTree(out)
		for i, want := range []string{"text/plain", typeLeftOut, typeLeftOut} {
			if got := root.subs[i].media.typ; got != want {
				t.Errorf("%s: form %d is %s, not %s", p, i, got, want)
			}
		}
	}
}

func TestWhatCannotBeUnderstoodIsKeptWhileItIsSmall(t *testing.T) {
	small := message("multipart/mixed; boundary=never", "8bit", "--other\n\nhello\n")
	big := message("multipart/mixed", "8bit", strings.Repeat("hello\n", opaqueLimit/6+1))
	deep := "Subject: deep\n"
	for i := range 100 {
		deep += fmt.Sprintf("Content-Type: multipart/mixed; boundary=%d\n\n--%d\n", i, i)
	}
	deep += "Content-Type: image/png\n\n" + strings.Repeat("x", opaqueLimit)
	if _, partial := Reduce(small, Policy{Attachments: None}); partial {
		t.Error("a small message was changed")
	}
	for _, msg := range [][]byte{big, []byte(deep)} {
		out, partial := Reduce(msg, Policy{Attachments: None})
		if err := check(msg, Policy{Attachments: None}); !partial || len(out) > 10_000 || err != nil {
			t.Errorf("%v, %d octets, %v", partial, len(out), err)
		}
	}
}

func TestAMarkerIsFoundBehindOtherFieldsButIsThenAnEdit(t *testing.T) {
	out, _ := Reduce([]byte(invoice), Policy{Body: Headers})
	moved := append([]byte("X-Label: work\r\n"), out...)
	if m, ok := Partial(moved); !ok || m.Unchanged || !m.Of([]byte(invoice)) || SameMessage(moved, []byte(invoice)) {
		t.Errorf("%+v %v", m, ok)
	}
	for _, none := range []string{"", "X-Alwayson-Partial: body:text\n\n", "X-Alwayson-Partial: body:text; size=-1; id=x\n\n", "A: b\n\nX-Alwayson-Partial: body:text; size=1; id=x"} {
		if m, ok := Partial([]byte(none)); ok {
			t.Errorf("%q is a partial message: %+v", none, m)
		}
	}
}

func TestTheEnvelopeLineOfAnMboxStaysFirst(t *testing.T) {
	msg := []byte("From ann@x.example Tue Mar  3 10:00:00 2026\nSubject: x\n\nhello\n")
	out, _ := Reduce(msg, Policy{Body: Headers})
	if !bytes.HasPrefix(out, []byte("From ann@x.example Tue Mar  3 10:00:00 2026\nX-Alwayson-Partial: ")) || !SameMessage(out, msg) {
		t.Errorf("%s", out)
	}
}

func FuzzReduce(f *testing.F) {
	seeds := []string{invoice, "", "\n", " \n", "a", "Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n\n--b--", "Content-Type: text/html\n\n<!-- <"}
	for _, s := range seeds {
		f.Add([]byte(s), int64(10), int64(-1), 1)
	}
	for _, msg := range corpus(f) {
		if len(msg) < 4000 {
			f.Add(msg, int64(100), int64(50), 0)
		}
	}
	f.Fuzz(func(t *testing.T, msg []byte, limit, attachments int64, body int) {
		Parse(msg)
		if err := check(msg, Policy{Body(body), limit, Attachments(attachments)}); err != nil {
			t.Error(err)
		}
	})
}
