package page

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// TestAnAddressForOneUser: what another user reads in the list of programs is of no use to him, and stays good for its owner.
func TestAnAddressForOneUser(t *testing.T) {
	var g *guard
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.protect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })).ServeHTTP(w, r)
	}))
	defer s.Close()
	g = newGuard(strings.TrimPrefix(s.URL, "http://"))
	me, other := os.Getuid(), os.Getuid()+1
	for name, c := range map[string]struct {
		own  *int
		want int
	}{"mine": {&me, http.StatusNoContent}, "another's": {&other, http.StatusForbidden}, "whoever's": {nil, http.StatusNoContent}} {
		token := g.issue(c.own, time.Now())
		if got := enter(t, s.URL+g.base+"?token="+token); got != c.want {
			t.Errorf("%s: %d", name, got)
		}
		if _, kept := g.tokens[token]; kept != (c.want == http.StatusForbidden) {
			t.Errorf("%s: the token is kept: %v", name, kept)
		}
	}
}

// enter is how a browser is answered that follows where it is led.
func enter(t *testing.T, address string) int {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	defer browser.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}
