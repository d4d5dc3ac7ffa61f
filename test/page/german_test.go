package page

import (
	"cmp"
	"net/http"
	"strings"
	"testing"
)

// TestInGerman: who has told his browser that he speaks German is spoken to in German, also by what comes from the agent, and in no width is anything
// out of sight.
func TestInGerman(t *testing.T) {
	w := newWorld(t)
	w.busy()
	b := newTabIn(t, "de-AT,de,en")
	address, err := w.c.Page(t.Context())
	must(t, err)
	b.size(1100, "light")
	b.open(address)
	b.until("in German", `document.documentElement.lang === "de" && document.title.startsWith("Braucht Sie – Übersicht") && document.querySelector("#state").innerText.includes("Braucht Sie")`)
	b.until("live", `document.querySelector("#live").innerText === "Was Sie sehen, bleibt von selbst aktuell."`)
	b.until("what needs the user", `document.querySelector(".causes").innerText.includes("30 Löschungen von calendar werden zurückgehalten")`)
	b.click("#sync") // for the messages, too
	b.until("synchronized", `document.querySelector("[role=status]").innerText.includes("Abgeglichen")`)
	base := address[:strings.Index(address, "/?")]
	for room, says := range map[string]string{"": "Letzte Austausche", "activity": "auf Ihren Wunsch", "waiting": "der Server hat sie noch", "conflicts": "Andere behalten", "filters": "Behält alles",
		"settings": "", "history": "", "messages": "→ gesendet", "doctor": "Dieses Gerät untersuchen"} {
		b.open(base + "/" + room)
		b.until("said: "+says, `document.querySelector("main").innerText.includes("`+says+`")`)
		b.eval(`document.querySelector("#all details")?.setAttribute("open", "")`)
		b.fits(cmp.Or(room, "overview") + "-german")
	}
	b.open(base + "/waiting")
	b.click("#approve-0")
	b.until("refused", `document.querySelector("[role=alert]").innerText.includes("Das wurde nicht getan: Setzen Sie zuerst das Häkchen")`)
	b.open(base + "/")
	b.click("#off")
	b.until("off", `document.querySelector("#state").innerText.includes("Aus") && document.querySelector("[role=status]").innerText.includes("Always-On ist aus.")`)
}

// TestTwoLanguagesAtOnce: what one browser is told says nothing about the next.
func TestTwoLanguagesAtOnce(t *testing.T) {
	w := newWorld(t)
	g := w.visit()
	for _, c := range []struct{ accept, language, says string }{
		{"de-DE,de;q=0.9,en;q=0.8", "de", "Auf diesem Gerät und auf dem Server ist dasselbe."}, {"en-US,en;q=0.9", "en", "This device and the server hold the same."},
		{"", "en", "Switch Always-On off"}, {"fr;q=0.9,de;q=0.5", "de", "Always-On ausschalten"},
	} {
		req := g.request("/")
		req.Header.Set("Accept-Language", c.accept)
		res := g.do(req)
		if l, v := res.Header.Get("Content-Language"), res.Header.Get("Vary"); res.StatusCode != http.StatusOK || l != c.language || v != "Accept-Language" {
			t.Errorf("%q: %s %q %q", c.accept, res.Status, l, v)
		}
		has(t, g.last, `<html lang="`+c.language+`">`, c.says)
	}
}
