package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/doctor"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

func german(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { say.Use() })
	say.Use("de_AT.UTF-8")
}

var midday = time.Date(2026, 11, 24, 14, 2, 11, 0, time.UTC)

func before(d time.Duration) *time.Time {
	t := midday.Add(-d)
	return &t
}

// TestStatusInGerman is the whole screen, with all that can stand in it.
func TestStatusInGerman(t *testing.T) {
	german(t)
	s := &control.Status{AlwaysOn: true, State: "retrying", User: "ana", Server: "https://sync.example.org/ds", Device: "laptop", Network: "wlan0", Proxy: "http://proxy:3128",
		Summary: "the server cannot be reached since 13:58:00; it is tried again by itself; 3 changes wait", Advice: "alwayson hold list", Attempts: 2,
		Verified: before(26 * time.Hour), Next: before(-time.Minute), Session: &control.Session{ID: "7f3a00001111", Opened: midday.Add(-30 * time.Hour)},
		Push: control.Push{State: "connecting", Broker: "mqtts://broker:8883", LastTrigger: before(time.Hour), Reason: "cannot reach the broker: dial tcp 192.0.2.1:8883: i/o timeout"},
		Stores: []control.Store{
			{Name: "contacts", Items: 812, Change: &control.Change{At: midday, From: "server"}},
			{Name: "calendar", Items: 2431, Held: 120},
			{Name: "mail", Items: 12412, Pending: 3, Oldest: before(time.Minute), Change: &control.Change{At: midday, From: "device"}},
			{Name: "tasks", Items: 74, Problems: 1},
			{Name: "notes", Unavailable: "the store is not available: open /home/ana/Notes: permission denied"},
		}}
	want := `Always-On ist EIN      der Server ist seit 13:58:00 nicht erreichbar; es wird von selbst wieder versucht; 3 Änderungen warten (geprüft Mo 23. Nov. 12:02)
Sitzung   7f3a0000…    offen seit Mo 23. Nov. 08:02, keine Verbindung nötig, nächster Versuch (3.) um 14:03:11
Push      verbindet    mqtts://broker:8883, letzter Anstoß 13:02:11, der Broker ist nicht erreichbar: 192.0.2.1:8883 antwortet nicht
Netz      Proxy http://proxy:3128
Konto     ana auf https://sync.example.org/ds, Gerät laptop

SAMMLUNG  EINTRÄGE  WARTEN  LETZTE ÄNDERUNG    ZUSTAND
contacts  812       0       ← 14:02:11 Server  in Ordnung
calendar  2431      0       -                  120 Löschungen zurückgehalten → alwayson hold list
mail      12412     3       → 14:02:11 Gerät   wartet seit 14:01:11
tasks     74        0       -                  1 Eintrag hat ein Problem → alwayson pending
notes     0         0       -                  nicht lesbar, nichts wird gelöscht: die Sammlung ist nicht da: /home/ana/Notes darf nicht geöffnet werden

→ alwayson hold list
`
	var out bytes.Buffer
	writeStatus(&out, s, midday)
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// TestErrorsInGerman: what happened, what it means for the data, and what to type.
func TestErrorsInGerman(t *testing.T) {
	german(t)
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	nobody := []string{"--socket", t.TempDir() + "/none.sock"}
	for want, args := range map[string][]string{
		"alwayson: der Agent läuft nicht; nichts geht verloren, was sich inzwischen ändert, wird beim nächsten Start gefunden (alwayson service start, oder alwayson run)\n": append(nobody, "status"),
		"alwayson: den Befehl \"tanze\" gibt es bei \"alwayson\" nicht\n": {"tanze"},
		"alwayson: den Schalter --laut gibt es nicht\n":                   {"status", "--laut"},
		"alwayson: \"bald\" ist keine Dauer wie 12h, 3d oder 2w\n":        {"pause", "bald"},
		"alwayson: refresh-from-server löscht, was die andere Seite nicht hat (gelöscht würde hier: dieses Gerät); nichts wurde getan. Geben Sie es noch einmal ein, mit --yes\n": {
			"sync", "--mode", "refresh-from-server"},
	} {
		var out, errs bytes.Buffer
		Run(t.Context(), args, strings.NewReader(""), &out, &errs)
		if errs.String() != want {
			t.Errorf("%q: %q, want %q", args, errs.String(), want)
		}
	}
}

// TestWhatProgramsReadStaysEnglish: JSON does, and so does the last line of an agent that a service manager runs.
func TestWhatProgramsReadStaysEnglish(t *testing.T) {
	german(t)
	var out, errs bytes.Buffer
	Run(t.Context(), []string{"run", "--config", t.TempDir() + "/none.toml"}, strings.NewReader(""), &out, &errs)
	if !strings.Contains(errs.String(), "no such file or directory") {
		t.Errorf("the agent says %q", errs.String())
	}
	out.Reset()
	Run(t.Context(), []string{"doctor", "--json", "--config", t.TempDir() + "/none.toml"}, strings.NewReader(""), &out, &errs)
	if !strings.Contains(out.String(), `"without a configuration nobody knows where the agent would be; nothing is synchronized until it runs, and nothing is lost"`) {
		t.Errorf("the doctor says %s", out.String())
	}
}

// TestFindingsInGerman is how the doctor and the setup show what they found.
func TestFindingsInGerman(t *testing.T) {
	german(t)
	var out bytes.Buffer
	for _, f := range []doctor.Finding{
		{State: doctor.OK, Text: "TLS 1.3, certificate valid until 2027-03-01"},
		{State: doctor.Warning, Store: "mail", Text: "3 deletions are held until you have looked at them", Fix: "alwayson hold list"},
		{State: doctor.Fault, Text: "the server is not trusted: tls: failed to verify certificate: x509: certificate signed by unknown authority; nothing is sent to it",
			Fix: "name the file of its certificate authority as ca_file in the configuration, if you know that it is the right one"},
	} {
		writeFinding(&out, &f)
	}
	want := `  ✓ TLS 1.3, Zertifikat gültig bis 2027-03-01
  ! Warnung: mail: 3 Löschungen werden zurückgehalten, bis Sie sie angesehen haben
      → alwayson hold list
  ✗ Fehler: der Server ist nicht vertrauenswürdig: die Stelle, die das Zertifikat unterschrieben hat, ist hier nicht bekannt; dorthin wird nichts gesendet
      → nennen Sie die Datei seiner Zertifizierungsstelle als ca_file in der Konfiguration, wenn Sie wissen, dass es die richtige ist
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// TestHelpInGerman: each command and each flag says in one line what it is for.
func TestHelpInGerman(t *testing.T) {
	german(t)
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		english := map[string]string{c.CommandPath(): c.Short}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { english[c.CommandPath()+" --"+f.Name] = f.Usage })
		for of, text := range english {
			if say.Sentence(text) == text {
				t.Errorf("%s: %q has no translation", of, text)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(Command())
	var out, errs bytes.Buffer
	Run(t.Context(), []string{"pause", "--help"}, strings.NewReader(""), &out, &errs)
	for _, want := range []string{"Aufruf:\n  alwayson pause [TIME] [flags]\n", "\nSchalter für alle Befehle:\n", "das Ergebnis als JSON schreiben\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
}

// TestAnswers: yes and no are those of the user's language, and what people type from habit.
func TestAnswers(t *testing.T) {
	german(t)
	for answer, want := range map[string][2]bool{"j": {true, false}, "Ja": {true, false}, "y": {true, false}, "n": {false, true}, "NEIN": {false, true}, "no": {false, true},
		"": {false, false}, "jawohl": {false, false}, "~/Mail": {false, false}} {
		if got := [2]bool{isYes(answer), isNo(answer)}; got != want {
			t.Errorf("%q: %v, want %v", answer, got, want)
		}
	}
}
