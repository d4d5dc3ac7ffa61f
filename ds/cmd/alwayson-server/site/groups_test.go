package site

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// set changes settings and gives "device:effect key key" of each device, and what was overruled.
func (w *apiWorld) set(whom Whom, list ...string) string {
	w.Helper()
	preview, err := SetSettings(w.Context(), w.Store(), "@root", whom, values(list...), true)
	if err != nil {
		w.Fatal(err)
	}
	out, err := SetSettings(w.Context(), w.Store(), "@root", whom, values(list...), false)
	if err != nil {
		w.Fatal(err)
	}
	if changes(preview) != changes(out) {
		w.Errorf("the preview said %s, and it became %s", changes(preview), changes(out))
	}
	return changes(out)
}

func changes(list []SettingsChange) string {
	var out []string
	for _, c := range list {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s:%s %s", c.Device, c.Effect, strings.Join(append(c.Keys, c.Overruled...), " "))))
	}
	return strings.Join(out, "; ")
}

// wanted is what a device shall be set to: "key=value for whom".
func (w *apiWorld) wanted(device string) string {
	w.Helper()
	list, err := Settings(w.Context(), w.Store(), device, false)
	if err != nil {
		w.Fatal(err)
	}
	var out []string
	for _, s := range list {
		if s.Own {
			s.Value = "own"
		}
		out = append(out, strings.TrimSpace(s.Key+"="+s.Value+" "+s.For))
	}
	return strings.Join(out, ", ")
}

func (w *apiWorld) is(got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("got  %s\nwant %s", got, want)
	}
}

// must does something with a group and gives what follows.
func (w *apiWorld) must(out []SettingsChange, err error) string {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	return changes(out)
}

// TestTheMostSpecialWishHolds: device before group before user before all; of two groups the one of which something was wanted last. Who joins later gets
// it, who leaves is as he would be without, and what is the same is not sent again (S9).
func TestTheMostSpecialWishHolds(t *testing.T) {
	w := newAPIWorld(t)
	ctx, store := t.Context(), w.Store()
	for _, g := range []string{"lab", "sales"} {
		if err := AddGroup(ctx, store, "@root", g); err != nil {
			t.Fatal(err)
		}
	}
	ana, lab, sales := Whom{User: "ana"}, Whom{Group: "lab"}, Whom{Group: "sales"}
	w.is(w.set(Whom{All: true}, "log.level", "error"), "ana-phone:none log.level; ben-phone:none log.level")
	w.is(w.set(ana, "log.level", "warn"), "ana-phone:none log.level")
	w.is(w.set(lab, "log.level", "debug", "account.server", "https://lab.example.org/ds"), "")
	w.is(w.must(Join(ctx, store, "@root", "lab", "ana-phone")), "ana-phone:restart account.server log.level")
	w.is(w.wanted("ana-phone"), "account.server=https://lab.example.org/ds group lab, log.level=debug group lab")
	w.is(w.must(Join(ctx, store, "@root", "lab", "ana-phone")), "ana-phone:nothing")
	w.is(w.set(ana, "log.level", "info"), "ana-phone:nothing log.level by group lab")
	w.is(w.must(Join(ctx, store, "@root", "sales", "ana-phone", "ben-phone")), "ana-phone:nothing; ben-phone:nothing")
	w.is(w.set(sales, "log.level", "warn"), "ana-phone:none log.level; ben-phone:none log.level")
	w.is(w.set(lab, "log.level", "warn"), "ana-phone:nothing") // of another group now, and the same
	w.is(w.wanted("ana-phone"), "account.server=https://lab.example.org/ds group lab, log.level=warn group lab")
	w.is(w.set(Whom{Device: "ana-phone"}, "log.level", "error"), "ana-phone:none log.level")
	w.is(w.set(sales, "log.level", "debug"), "ana-phone:nothing log.level by device ana-phone; ben-phone:none log.level")

	w.is(w.set(Whom{Device: "ana-phone"}, "log.level", "-"), "ana-phone:none log.level")
	w.is(w.wanted("ana-phone"), "account.server=https://lab.example.org/ds group lab, log.level=debug group sales")
	w.is(w.must(RemoveGroup(ctx, store, "@root", "sales")), "ana-phone:none log.level; ben-phone:none log.level")
	w.is(w.wanted("ben-phone"), "log.level=error all")
	w.is(w.must(Leave(ctx, store, "@root", "lab", "ana-phone")), "ana-phone:restart account.server log.level")
	w.is(w.wanted("ana-phone"), "account.server=own, log.level=info user ana")
	w.is(w.set(ana, "log.level", "-"), "ana-phone:none log.level")
	w.is(w.set(Whom{All: true}, "log.level", "-"), "ana-phone:none log.level; ben-phone:none log.level")
	w.is(w.wanted("ben-phone"), "log.level=own")
	w.is(w.set(Whom{All: true}, "log.level", "-"), "ana-phone:nothing; ben-phone:nothing")

	w.set(ana, "session.poll", "7m")
	if _, err := Enrol(ctx, store, "ana", "ana-desk"); err != nil { // one that comes later
		t.Fatal(err)
	}
	w.is(w.wanted("ana-desk"), "session.poll=7m user ana")
	events, err := Why(ctx, store, "ben-phone")
	if err != nil || len(events) != 2 || events[0].Why != "joined sales" || events[1].Why != "left sales" || events[1].Outcome != "by @root" {
		t.Errorf("%+v %v", events, err)
	}
}

// TestAFailedWishIsRepeatedByWhoWantsIt: what a device has refused is sent again when somebody wants just that again, and not because of something else.
func TestAFailedWishIsRepeatedByWhoWantsIt(t *testing.T) {
	w := newAPIWorld(t)
	w.set(Whom{Device: "ana-phone"}, "log.level", "debug")
	w.settled("ana-phone", "failed")
	w.is(w.set(Whom{All: true}, "log.level", "warn"), "ana-phone:nothing log.level by device ana-phone; ben-phone:none log.level")
	w.is(w.set(Whom{Device: "ana-phone"}, "log.level", "debug"), "ana-phone:none log.level")
}

// TestGroupsOverTheAPI: administrators only, and mistakes are explained.
func TestGroupsOverTheAPI(t *testing.T) {
	w := newAPIWorld(t)
	for _, c := range []struct {
		route, body string
		code        int
		want        string
	}{
		{"PUT /v1/groups/lab", "", 204, ""},
		{"PUT /v1/groups/lab", "", 422, "there already"},
		{"PUT /v1/groups/a%20b", "", 422, "letters, digits"},
		{"PUT /v1/groups/lab/settings", `{"values":{"log.level":"debug"}}`, 200, "[]"},
		{"PUT /v1/groups/lab/settings", `{"values":{"log.level":"loud"}}`, 422, "none of debug"},
		{"PUT /v1/groups/none/settings", `{"values":{"log.level":"debug"}}`, 422, "no group none"},
		{"PUT /v1/groups/lab/devices/ana-phone", "", 200, `"keys":["log.level"]`},
		{"PUT /v1/groups/lab/devices/nobody", "", 422, "no device nobody"},
		{"PUT /v1/groups/none/devices/ana-phone", "", 422, "no group none"},
		{"PUT /v1/groups/lab/settings", `{"values":{"log.level":"warn"},"preview":true}`, 200, `"effect":"none"`},
		{"GET /v1/groups", "", 200, `"devices":["ana-phone"]`},
		{"GET /v1/groups/lab", "", 200, `"value":"debug","by":"@root"`},
		{"GET /v1/groups/none", "", 422, "no group none"},
		{"PUT /v1/groups/lab/settings", `{"values":{"log.level":null}}`, 200, `"keys":["log.level"]`},
		{"DELETE /v1/groups/lab/devices/ana-phone", "", 200, `"effect":"nothing"`},
		{"DELETE /v1/groups/lab", "", 200, "[]"},
		{"DELETE /v1/groups/lab", "", 422, "no group lab"},
	} {
		if c.code < 300 { // mistakes are of the same routes
			if code, text := w.call("ana:a", c.route, c.body); code != http.StatusForbidden {
				t.Errorf("%s as ana: HTTP %d %s", c.route, code, text)
			}
		}
		if code, text := w.call("root:r", c.route, c.body); code != c.code || !strings.Contains(text, c.want) {
			t.Errorf("%s: HTTP %d %s, want %d %s", c.route, code, text, c.code, c.want)
		}
	}
}
