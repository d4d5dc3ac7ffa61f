package tray

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

func german(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { say.Use() })
	say.Use("de_DE.UTF-8")
}

func summary(text string) func(*control.Status) {
	return func(s *control.Status) { s.Summary, s.Verified = text, nil }
}

// TestStatesInGerman is TestStates in another language.
func TestStatesInGerman(t *testing.T) {
	german(t)
	held := status("idle", nil)
	held.Holds = []control.Hold{{Store: "mail", There: 1}}
	conflicts := conflictFacts(2)
	down := status("idle", nil)
	down.Down = *at(-10)
	for want, f := range map[string]Facts{
		"Always-On ist aus - 3 Änderungen warten": status("off", func(s *control.Status) { s.AlwaysOn = false; s.Stores[0].Pending = 3 }),
		"Wird geprüft…":                           {},
		"Abgeglichen, geprüft 14:02":              status("idle", nil),
		"Wird geprüft… - mail weicht vom Server ab; der nächste Austausch behebt es und löscht nichts": status("idle",
			summary("mail differs from the server; the next exchange repairs it, and deletes nothing")),
		"Sende 2 von 3 · mail":                                                  status("syncing", func(s *control.Status) { s.Running, s.Stores[0].Pending, s.Stores[0].Sent = "local change", 3, 2 }),
		"Offline - nächster Versuch 14:07. 1 Änderung wartet":                   status("retrying", func(s *control.Status) { s.Next, s.Stores[0].Pending = at(5), 1 }),
		"Das Netz wwan0 soll nicht benutzt werden":                              status("retrying", func(s *control.Status) { s.NotAllowed, s.Network = true, "wwan0" }),
		"Der Akku steht bei 9 %":                                                status("retrying", func(s *control.Status) { s.Withheld = "the battery is at 9 %" }),
		"Verbindung verloren seit 13:20 - kommt von selbst wieder":              status("lost", nil),
		"Dieses Netz verlangt eine Anmeldung: öffnen Sie eine Seite im Browser": status("retrying", func(s *control.Status) { s.Portal = true }),
		"Bitte neu anmelden":                                                    status("held", func(s *control.Status) { s.Problem = control.Credentials }),
		"2 Konflikte":                                                           conflicts,
		"1 Löschung zurückgehalten":                                             held,
		"mail ist nicht lesbar":                                                 status("idle", func(s *control.Status) { s.Stores[0].Unavailable = "no such folder" }),
		"Angehalten bis Do 26. Nov. 14:02":                                      status("paused", func(s *control.Status) { s.Until = at(2 * 24 * 60) }),
		"Der Abgleichdienst läuft nicht":                                        down,
	} {
		if v := Look(&f, noon); v.Text != want {
			t.Errorf("%q, want %q", v.Text, want)
		}
	}
}

// TestMenuInGerman is TestMenu in another language.
func TestMenuInGerman(t *testing.T) {
	german(t)
	f := status("idle", func(s *control.Status) {
		s.Problem, s.Advice = control.Credentials, "alwayson login, with a new secret from your administrator"
	})
	f.Log = []control.Exchange{{At: *at(1), Error: "cannot reach the server: EOF"}}
	want := []string{"(Bitte neu anmelden)", "✓ Always-On", "Jetzt abgleichen", "Anhalten", "  1 Stunde", "  Bis morgen", "  Bis ich fortsetze", "Braucht Sie (1)",
		"  Bitte neu anmelden: alwayson login, mit einem neuen Passwort von Ihrer Administration", "Letzte Aktivität",
		"  (14:03  der Server ist nicht erreichbar: die Verbindung brach ab)", "Statusseite öffnen", "Symbol beenden (Abgleich läuft weiter)"}
	if diff := cmp.Diff(want, labels(Look(&f, noon).Menu)); diff != "" {
		t.Error(diff)
	}
}

// TestNotificationsInGerman: what happened, what it means, and what to type (A1).
func TestNotificationsInGerman(t *testing.T) {
	german(t)
	refused := status("held", func(s *control.Status) {
		s.Problem, s.Advice = control.Credentials, "alwayson login"
		s.Summary = "the server refused the credentials; nothing is lost; 2 changes wait"
	})
	held := status("idle", nil)
	held.Holds = []control.Hold{{Store: "mail", There: 120}}
	away := status("idle", func(s *control.Status) {
		s.Stores[0].Unavailable = "the store is not available: lstat /home/ana/Mail: no such file or directory"
		s.Stores[1].Problems = 2
	})
	conflict := status("idle", nil)
	conflict.Conflicts = []control.Conflict{{Store: "contacts", Item: "ana.vcf"}}
	for name, c := range map[string]struct {
		facts Facts
		want  []Note
	}{
		"refused": {refused, []Note{{Key: "credentials", Title: "Bitte neu anmelden", Urgent: true,
			Body: "Der Server hat die Anmeldedaten abgelehnt; nichts geht verloren; 2 Änderungen warten. Geben Sie ein: alwayson login"}}},
		"held": {held, []Note{{Key: "hold mail", Title: "120 Löschungen zurückgehalten", Urgent: true, Buttons: []Button{{"Einträge behalten", Click{Keep, "mail"}}},
			Body: "Viele Einträge von mail wurden auf einmal gelöscht. Auf der anderen Seite wird keiner gelöscht, bis Sie entschieden haben. Geben Sie ein: alwayson hold list"}}},
		"away": {away, []Note{
			{Key: "store mail", Title: "mail ist nicht lesbar", Urgent: true, Body: "Nichts wird deswegen gelöscht, alles andere wird abgeglichen. " +
				"Die Sammlung ist nicht da: /home/ana/Mail gibt es nicht. Geben Sie ein: alwayson status"},
			{Key: "items tasks", Title: "2 Einträge von tasks lassen sich nicht abgleichen", Urgent: true,
				Body: "Alles andere wird abgeglichen, und ein Eintrag wird erneut versucht, wenn er sich ändert. Geben Sie ein: alwayson pending"}}},
		"conflict": {conflict, []Note{{Key: "conflicts", Title: "1 Konflikt", Urgent: true,
			Body: "ana.vcf von contacts wurde auf zwei Geräten bearbeitet. Beide Fassungen bleiben erhalten. Geben Sie ein: alwayson conflict list"}}},
	} {
		var got []Note
		for _, cause := range c.facts.causes(noon) {
			got = append(got, cause.Note())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
