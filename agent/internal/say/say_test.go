package say

import (
	"strings"
	"testing"
	"time"
)

// speak says all in German for the rest of a test.
func speak(t testing.TB) {
	t.Helper()
	t.Cleanup(func() { Use() })
	Use("de_DE.UTF-8")
}

// TestEnglish is said unless somebody has chosen another language, and of what has no translation.
func TestEnglish(t *testing.T) {
	check(t, Text("In sync, verified %s", "14:02"), "In sync, verified 14:02")
	check(t, Count(1, "%d conflict", "%d conflicts", 1), "1 conflict")
	check(t, Count(0, "%d conflict", "%d conflicts", 0), "0 conflicts")
	check(t, Sentence("in sync"), "in sync")
	check(t, Word("held"), "held")
	speak(t)
	check(t, Sentence("a sentence of tomorrow's agent"), "a sentence of tomorrow's agent")
	check(t, Word("dancing"), "dancing")
}

func check(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestMessages(t *testing.T) {
	speak(t)
	check(t, Text("In sync, verified %s", "14:02"), "Abgeglichen, geprüft 14:02")
	check(t, Count(1, "%d conflict", "%d conflicts", 1), "1 Konflikt")
	check(t, Count(0, "%d conflict", "%d conflicts", 0), "0 Konflikte")
	check(t, Word("held"), "angehalten")
	check(t, Moment(time.Date(2026, 3, 5, 9, 7, 0, 0, time.UTC)), "Do 5. März 09:07")
}

// TestSpeakersAreIndependent of each other, and of the user's language.
func TestSpeakersAreIndependent(t *testing.T) {
	german, english := In("fr-FR", "de-AT"), In("en-GB", "de")
	check(t, german.Language()+" "+german.Text("Resume"), "de Fortsetzen")
	check(t, english.Language()+" "+english.Text("Resume"), "en Resume")
	check(t, Text("Resume"), "Resume")
	check(t, german.Count(2, "%d conflict", "%d conflicts", 2), "2 Konflikte")
	check(t, german.Word("held")+", "+german.Sentence("in sync"), "angehalten, abgeglichen")
	check(t, german.Moment(time.Date(2026, 3, 5, 9, 7, 0, 0, time.UTC)), "Do 5. März 09:07")
	check(t, Speaker{}.Moment(time.Date(2026, 3, 5, 9, 7, 0, 0, time.UTC)), "Thu 5 Mar 09:07")
}

// TestSentences: what was put into a sentence comes out again, also where sentences were put together.
func TestSentences(t *testing.T) {
	speak(t)
	for english, want := range map[string]string{
		"": "",
		"the server cannot be reached since 14:02:03; it is tried again by itself; 2 changes wait": "der Server ist seit 14:02:03 nicht erreichbar; es wird von selbst wieder versucht; 2 Änderungen warten",
		"Always-On is off; 1 change waits": "Always-On ist aus; 1 Änderung wartet",
		"many deletions of contacts, mail are held until you have looked at them; everything else is in sync": "viele Löschungen von contacts, mail werden zurückgehalten, " +
			"bis Sie sie angesehen haben; alles andere ist abgeglichen",
		"held: the keyring is locked; 3 changes wait": "angehalten: der Schlüsselbund ist gesperrt; 3 Änderungen warten",
		"not in sync: the server cannot be reached since 14:02:03; it is tried again by itself; 1 change waits": "nicht abgeglichen: der Server ist seit 14:02:03 " +
			"nicht erreichbar; es wird von selbst wieder versucht; 1 Änderung wartet",
		"cannot reach the broker: dial tcp 192.0.2.1:8883: i/o timeout":                  "der Broker ist nicht erreichbar: 192.0.2.1:8883 antwortet nicht",
		"nothing is changed: session.poll: \"x\" is no duration like \"90s\" or \"10m\"": "nichts wurde geändert: session.poll: \"x\" ist keine Dauer wie \"90s\" oder \"10m\"",
		"cannot read since:x at position 1 of the filter: \"x\" is no time; write a span like 14d, 2w, 6m, 1y or 12h, or a day like 2026-11-25": "since:x ist an Stelle 1 " +
			"des Filters nicht lesbar: \"x\" ist keine Zeit; schreiben Sie eine Spanne wie 14d, 2w, 6m, 1y oder 12h, oder einen Tag wie 2026-11-25",
		"syncing (local change)": "Abgleich läuft (Änderung auf diesem Gerät)",
		"client certificate expired on 2 January 2026 15:04; nothing is lost; 1 change waits": "das Zertifikat dieses Geräts ist am 2. Januar 2026 15:04 abgelaufen; " +
			"nichts geht verloren; 1 Änderung wartet",
		"paused until Mon 2 Mar 15:04": "angehalten bis Mo 2. März 15:04",
		"cannot reach the server: Post \"https://sync.example.org/ds\": dial tcp 192.0.2.1:443: connect: connection refused": "der Server ist nicht erreichbar: " +
			"https://sync.example.org/ds: 192.0.2.1:443 nimmt keine Verbindung an",
		"the server has 3 heads: invalid credentials":                                         "the server has 3 heads: Anmeldedaten ungültig",
		"contacts: 3 sent, 1 received; mail: 0 sent, 12 received":                             "contacts: 3 gesendet, 1 empfangen; mail: 0 gesendet, 12 empfangen",
		"the battery is at 9 %":                                                               "der Akku steht bei 9 %",
		"cannot read \"x\" at position 3 of the filter: the value is missing":                 "\"x\" ist an Stelle 3 des Filters nicht lesbar: der Wert fehlt",
		"64.0 MiB are left on the disk of /home; nothing new is stored below 64.0 MiB":        "auf der Platte von /home sind noch 64.0 MiB frei; unter 64.0 MiB wird nichts Neues gespeichert",
		"contacts differs from the server; the next exchange repairs it, and deletes nothing": "contacts weicht vom Server ab; der nächste Austausch behebt es und löscht nichts",
	} {
		check(t, Sentence(english), want)
	}
}

// TestNamesStayAsTheyAre, also those that look like a message: only they are good for a command.
func TestNamesStayAsTheyAre(t *testing.T) {
	speak(t)
	for english, want := range map[string]string{
		"in sync cannot be read; nothing is deleted for it, everything else is in sync": "in sync ist nicht lesbar; deswegen wird nichts gelöscht, alles andere ist abgeglichen",
		"there is no store \"the server\"":                                              "es gibt keine Sammlung \"the server\"",
		"type edit me.vcf":                                                              "geben Sie ein: edit me.vcf",
		"%d is no conflict; alwayson conflict list names them":                          "%d ist kein Konflikt; alwayson conflict list nennt sie",
	} {
		check(t, Sentence(english), want)
	}
}

// FuzzSentence: what is heard may be anything, and as long as a message can be.
func FuzzSentence(f *testing.F) {
	for _, s := range []string{"in sync; in sync", "held: held: held", "%s; %d", strings.Repeat("; ", 1000), strings.Repeat("in %s of ", 1000), "64 are left on the disk of "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		speak(t)
		if Sentence(s) == "" && s != "" {
			t.Errorf("nothing is left of %q", s)
		}
	})
}
