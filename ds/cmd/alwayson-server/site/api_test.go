package site

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
)

// apiWorld is a running site with an administrator, two users, and a device of each user.
type apiWorld struct {
	*testing.T
	*Site
}

func newAPIWorld(t *testing.T) *apiWorld {
	s, err := Start(t.Context(), Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, u := range []struct {
		name, password string
		admin          bool
	}{{"root", "r", true}, {"ana", "a", false}, {"ben", "b", false}, {"kiosk", "", false}} {
		if err := PutUser(t.Context(), s.Store(), u.name, u.password, u.admin); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"ana", "ben"} {
		if _, err := Enrol(t.Context(), s.Store(), d, d+"-phone"); err != nil {
			t.Fatal(err)
		}
	}
	return &apiWorld{t, s}
}

// call makes a request and returns the HTTP status and what the answer holds.
func (w *apiWorld) call(who, route, body string) (int, string) {
	w.Helper()
	method, path, _ := strings.Cut(route, " ")
	req, err := http.NewRequestWithContext(w.Context(), method, strings.TrimSuffix(w.URL(), "/ds")+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	if name, password, ok := strings.Cut(who, ":"); ok {
		req.SetBasicAuth(name, password)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer res.Body.Close()
	var answer json.RawMessage
	if res.StatusCode != http.StatusNoContent {
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			w.Fatalf("%s: HTTP %d is no JSON: %v", route, res.StatusCode, err)
		}
	}
	return res.StatusCode, string(answer)
}

// TestRolesAreEnforced is G9: every route, as everybody.
func TestRolesAreEnforced(t *testing.T) {
	w := newAPIWorld(t)
	for _, c := range []struct {
		route, body         string
		admin, user, others int // for root, for ana about herself or hers, for ana about others
		other               string
	}{
		{route: "GET /v1/me", admin: 200, user: 200},
		{route: "GET /v1/users", admin: 200, user: 403},
		{route: "PUT /v1/users/eve", body: `{"password":"e","admin":true}`, admin: 204, user: 403},
		{route: "PUT /v1/me/password", body: `{"password":"a"}`, user: 204},
		{route: "GET /v1/devices", admin: 200, user: 200},
		{route: "POST /v1/devices/ana-desk", body: `{}`, user: 200},
		{route: "POST /v1/devices/bens", body: `{"user":"ben"}`, admin: 200, user: 403},
		{route: "POST /v1/devices/ana-phone/secret", admin: 200, user: 200, other: "POST /v1/devices/ben-phone/secret", others: 404},
		{route: "GET /v1/devices/ana-phone/sessions", admin: 200, user: 200, other: "GET /v1/devices/ben-phone/sessions", others: 404},
		{route: "PUT /v1/filters/mail", body: `{"filter":"since:30d"}`, admin: 200, user: 403},
		{route: "POST /v1/devices/ana-phone/session", admin: 200, user: 403},
		{route: "GET /v1/devices/ana-phone/why", admin: 200, user: 200, other: "GET /v1/devices/ben-phone/why", others: 404},
		{route: "DELETE /v1/devices/ana-phone", user: 204, other: "DELETE /v1/devices/ben-phone", others: 404},
		{route: "DELETE /v1/devices/ben-phone", admin: 204},
	} {
		for who, want := range map[string]int{"root:r": c.admin, "ana:a": c.user, "ana:wrong": 401, "nobody:a": 401, "kiosk:": 401, "": 401} {
			if want == 0 {
				continue
			}
			if got, text := w.call(who, c.route, c.body); got != want {
				t.Errorf("%s as %q: HTTP %d %s, want %d", c.route, who, got, text, want)
			}
		}
		if c.other == "" {
			continue
		}
		if got, text := w.call("ana:a", c.other, c.body); got != c.others {
			t.Errorf("%s as ana: HTTP %d %s, want %d", c.other, got, text, c.others)
		}
	}
}

func TestUsersSeeTheirOwnDevicesOnly(t *testing.T) {
	w := newAPIWorld(t)
	if _, list := w.call("ana:a", "GET /v1/devices", ""); !strings.Contains(list, "ana-phone") || strings.Contains(list, "ben") {
		t.Errorf("ana sees %s", list)
	}
	if _, list := w.call("root:r", "GET /v1/devices", ""); !strings.Contains(list, "ana-phone") || !strings.Contains(list, "ben-phone") {
		t.Errorf("root sees %s", list)
	}
}

func TestMistakesAreExplained(t *testing.T) {
	w := newAPIWorld(t)
	for _, c := range []struct{ route, body, want string }{
		{"PUT /v1/users/eve", `{"pasword":"e"}`, "pasword"},
		{"PUT /v1/users/a%20b", `{"password":"e"}`, "no spaces"},
		{"PUT /v1/me/password", `{"password":""}`, "at least one character"},
		{"POST /v1/devices/a+b", `{}`, "device id"},
		{"POST /v1/devices/ana-phone", `{}`, "there already"},
		{"POST /v1/devices/x", `{"user":"nobody"}`, "no user nobody"},
	} {
		code, text := w.call("root:r", c.route, c.body)
		if code != http.StatusUnprocessableEntity && code != http.StatusBadRequest || !strings.Contains(text, c.want) {
			t.Errorf("%s %s: HTTP %d %s, want 4xx with %q", c.route, c.body, code, text, c.want)
		}
	}
}

// TestARemovedDeviceIsFinalized: the fourth ending, a normal one.
func TestARemovedDeviceIsFinalized(t *testing.T) {
	w := newAPIWorld(t)
	if err := w.Store().Update(t.Context(), func(tx dsstore.Tx) error {
		return tx.PutSession(dsstore.Session{ID: "l", Device: "ana-phone"})
	}); err != nil {
		t.Fatal(err)
	}
	if code, text := w.call("ana:a", "DELETE /v1/devices/ana-phone", ""); code != http.StatusNoContent {
		t.Fatalf("HTTP %d %s", code, text)
	}
	all, err := Sessions(t.Context(), w.Store(), "ana-phone")
	if err != nil || len(all) != 1 || all[0].State != string(ds.Finalized) {
		t.Errorf("sessions %+v, %v", all, err)
	}
	if code, _ := w.call("ana:a", "POST /v1/devices/ana-phone", "{}"); code != http.StatusOK {
		t.Errorf("it cannot be enrolled again: HTTP %d", code)
	}
}

// TestHowFarADeviceIsBehind is the server's half of G5.
func TestHowFarADeviceIsBehind(t *testing.T) {
	w := newAPIWorld(t)
	c := dsstore.Collection{User: "ana", Store: "notes"}
	for _, text := range []string{"one", "two"} {
		if _, err := w.Server().Put(t.Context(), c, "", pim.Item{Type: pim.TypePlain, Body: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	pending := func() DeviceInfo {
		list, err := Devices(t.Context(), w.Store(), "ana")
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		return list[0]
	}
	if d := pending(); d.Pending != 0 || d.Oldest != nil {
		t.Errorf("a device that does not synchronize notes: %+v", d)
	}
	if err := w.Store().Update(t.Context(), func(tx dsstore.Tx) error {
		return tx.PutLink("ana-phone", c, dsstore.Link{ClientNext: "1"})
	}); err != nil {
		t.Fatal(err)
	}
	if d := pending(); d.Pending != 2 || d.Oldest == nil {
		t.Errorf("a device that does: %+v", d)
	}
}
