package site

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// right is what somebody must be to use a route of the API (G9).
type right int

const (
	user          right = iota // sees and changes what is his
	administrator              // also what is everybody's
)

// call is one request, by somebody whose password was right.
type call struct {
	*http.Request
	site *Site
	who  dsstore.User
}

// routes is the whole API. Requests come with HTTP basic authentication, answers are JSON.
var routes = []struct {
	pattern string
	needs   right
	do      func(*call) (any, error)
}{
	{"GET /v1/me", user, func(c *call) (any, error) { return UserInfo{Name: c.who.Name, Admin: c.who.Admin}, nil }},
	{"PUT /v1/me/password", user, changePassword},
	{"GET /v1/users", administrator, func(c *call) (any, error) { return Users(c.Context(), c.site.store) }},
	{"PUT /v1/users/{name}", administrator, putUser},
	{"GET /v1/devices", user, func(c *call) (any, error) { return Devices(c.Context(), c.site.store, c.scope()) }},
	{"POST /v1/devices/{id}", user, enrol},
	{"POST /v1/devices/{id}/secret", user, ofDevice(newDeviceSecret)},
	{"DELETE /v1/devices/{id}", user, ofDevice(func(c *call, id string) (any, error) { return nil, Remove(c.Context(), c.site.store, id) })},
	{"GET /v1/holds", user, func(c *call) (any, error) { return Holds(c.Context(), c.site.store, c.scope()) }},
	{"POST /v1/devices/{id}/holds/{store}/approve", user, ofDevice(decideHold(true))},
	{"POST /v1/devices/{id}/holds/{store}/reject", user, ofDevice(decideHold(false))},
	{"GET /v1/me/history", user, func(c *call) (any, error) {
		return History(c.Context(), c.site.store, c.who.Name, c.FormValue("store"))
	}},
	{"POST /v1/me/history/{store}/restore", user, restore},
	{"GET /v1/devices/{id}/filters", user, ofDevice(func(c *call, id string) (any, error) { return Filters(c.Context(), c.site.store, id) })},
	{"PUT /v1/devices/{id}/filters/{store}", user, ofDevice(putFilter)},
	{"PUT /v1/filters/{store}", administrator, putFilters},
	{"GET /v1/devices/{id}/settings", user, ofDevice(func(c *call, id string) (any, error) {
		return Settings(c.Context(), c.site.store, id, c.FormValue("history") != "")
	})},
	{"PUT /v1/devices/{id}/settings", administrator, ofDevice(func(c *call, id string) (any, error) {
		return putSettings(c, func(settingsRequest) Whom { return Whom{Device: id} })
	})},
	{"POST /v1/devices/{id}/session", administrator, ofDevice(func(c *call, id string) (any, error) {
		return OpenSession(c.Context(), c.site.store, "@"+c.who.Name, id)
	})},
	{"PUT /v1/settings", administrator, func(c *call) (any, error) {
		return putSettings(c, func(r settingsRequest) Whom { return Whom{User: r.User, All: r.User == ""} })
	}},
	{"GET /v1/groups", administrator, func(c *call) (any, error) { return Groups(c.Context(), c.site.store, "") }},
	{"GET /v1/groups/{name}", administrator, getGroup},
	{"PUT /v1/groups/{name}", administrator, putGroup},
	{"DELETE /v1/groups/{name}", administrator, deleteGroup},
	{"PUT /v1/groups/{name}/devices/{id}", administrator, member(Join)},
	{"DELETE /v1/groups/{name}/devices/{id}", administrator, member(Leave)},
	{"PUT /v1/groups/{name}/settings", administrator, func(c *call) (any, error) {
		return putSettings(c, func(settingsRequest) Whom { return Whom{Group: c.PathValue("name")} })
	}},
	{"GET /v1/devices/{id}/why", user, ofDevice(func(c *call, id string) (any, error) { return Why(c.Context(), c.site.store, id) })},
	{"GET /v1/devices/{id}/sessions", user, ofDevice(func(c *call, id string) (any, error) { return Sessions(c.Context(), c.site.store, id) })},
}

// refusal is an answer other than 200.
type refusal struct {
	code int
	text string
}

func (e *refusal) Error() string { return e.text }

// api is the handler of all routes.
func (s *Site) api() http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(r.pattern, func(w http.ResponseWriter, req *http.Request) {
			v, err := s.serve(req, r.needs, r.do)
			s.respond(w, req, v, err)
		})
	}
	return mux
}

func (s *Site) serve(req *http.Request, needs right, do func(*call) (any, error)) (any, error) {
	who, err := s.signIn(req)
	if err != nil {
		return nil, err
	}
	if needs == administrator && !who.Admin {
		return nil, &refusal{http.StatusForbidden, "only an administrator may do that"}
	}
	req.Body = http.MaxBytesReader(nil, req.Body, maxRequest)
	return do(&call{Request: req, site: s, who: who})
}

// maxRequest bounds what a request may bring: names, a password, certificates.
const maxRequest = 1 << 20

// absent is compared with when there is no such account or it has no password, so that the time tells nothing.
var absent = sync.OnceValues(func() (string, error) { return argon2id.CreateHash(rand.Text(), hashing) })

func (s *Site) signIn(req *http.Request) (u dsstore.User, err error) {
	name, password, _ := req.BasicAuth()
	err = s.store.View(req.Context(), func(tx dsstore.Tx) error {
		u, err = tx.User(name)
		return err
	})
	if err != nil && !errors.Is(err, dsstore.ErrNotFound) {
		return u, err
	}
	hash, err := u.Password, error(nil)
	if hash == "" {
		if hash, err = absent(); err != nil {
			return u, err
		}
	}
	s.checks <- struct{}{} // each check takes 19 MiB and much time of a core: a flood of them must not starve the devices
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	<-s.checks
	if err != nil || !ok || u.Password == "" {
		return u, errors.Join(err, &refusal{http.StatusUnauthorized, "user name or password is wrong, or the account has no password"})
	}
	return u, nil
}

// respond writes v, or what went wrong: what the caller did wrong in words, what we did wrong to the log only.
func (s *Site) respond(w http.ResponseWriter, req *http.Request, v any, err error) {
	code, no, mistake := http.StatusOK, &refusal{}, Mistake("")
	switch {
	case errors.As(err, &mistake):
		code, v = http.StatusUnprocessableEntity, map[string]string{"error": err.Error()}
	case errors.As(err, &no):
		code, v = no.code, map[string]string{"error": no.text}
	case err != nil:
		s.o.Log.Error("request failed", "route", req.Pattern, "reason", err)
		code, v = http.StatusInternalServerError, map[string]string{"error": "the server could not do it; nothing was changed"}
	case v == nil:
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="alwayson"`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v) //nolint:errcheck // who is gone needs no answer
}

// scope is whose devices the caller may see: "" is everybody's.
func (c *call) scope() string {
	if c.who.Admin {
		return ""
	}
	return c.who.Name
}

func (c *call) body(v any) error {
	d := json.NewDecoder(c.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return &refusal{http.StatusBadRequest, fmt.Sprintf("cannot read the request: %v", err)}
	}
	return nil
}

func changePassword(c *call) (any, error) {
	var in struct {
		Password string `json:"password"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	if in.Password == "" {
		return nil, Mistake("a password has at least one character")
	}
	return nil, PutUser(c.Context(), c.site.store, c.who.Name, in.Password, c.who.Admin)
}

func putUser(c *call) (any, error) {
	var in struct {
		Password string `json:"password"`
		Admin    bool   `json:"admin"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	return nil, PutUser(c.Context(), c.site.store, c.PathValue("name"), in.Password, in.Admin)
}

// enrol makes a device of the caller, or of the user that an administrator names.
func enrol(c *call) (any, error) {
	in := struct {
		User string `json:"user"`
	}{c.who.Name}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	if in.User != c.who.Name && !c.who.Admin {
		return nil, &refusal{http.StatusForbidden, "only an administrator enrols devices of others"}
	}
	secret, err := Enrol(c.Context(), c.site.store, in.User, c.PathValue("id"))
	return map[string]string{"secret": secret}, err
}

// ofDevice lets a call through if the device is the caller's, or he is an administrator. Other people's devices do not exist for him.
func ofDevice(do func(*call, string) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		d, err := device(c.Context(), c.site.store, c.PathValue("id"))
		if errors.Is(err, dsstore.ErrNotFound) || err == nil && c.scope() != "" && d.User != c.who.Name {
			return nil, &refusal{http.StatusNotFound, "there is no device " + c.PathValue("id")}
		}
		if err != nil {
			return nil, err
		}
		return do(c, d.ID)
	}
}

func device(ctx context.Context, store dsstore.Store, id string) (d dsstore.Device, err error) {
	err = store.View(ctx, func(tx dsstore.Tx) error {
		d, err = tx.Device(id)
		return err
	})
	return d, err
}

func newDeviceSecret(c *call, id string) (any, error) {
	secret, err := NewSecret(c.Context(), c.site.store, id)
	return map[string]string{"secret": secret, "changed": time.Now().UTC().Format(time.RFC3339)}, err
}
