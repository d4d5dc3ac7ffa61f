package page

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// clerk does what forms ask for, and tells who has sent them what came of it. What he refuses he refuses in English, as the agent does.
type clerk struct {
	voice
	agent *control.Client
}

// action does what one form asks for, and tells what came of it.
type action func(c *clerk, ctx context.Context, form url.Values) (string, error)

// actions are all forms but those that only ask, by path.
var actions = map[string]action{
	"on":               (*clerk).on,
	"off":              (*clerk).off,
	"sync":             (*clerk).syncNow,
	"pause":            (*clerk).pause,
	"resume":           (*clerk).resume,
	"holds":            (*clerk).decideHold,
	"conflicts":        (*clerk).resolve,
	"filters":          (*clerk).setFilter,
	"settings":         (*clerk).setSetting,
	"history/restore":  (*clerk).restore,
	"history/undo":     (*clerk).undo,
	"session/open":     (*clerk).openSession,
	"session/close":    (*clerk).closeSession,
	"overview/compare": (*clerk).compare,
}

// patience is how long a browser waits for what may take long, such as an exchange.
const patience = 30 * time.Second

// act carries out an action and shows the page from which it came, so that loading that again does nothing twice.
func (h *house) act(w http.ResponseWriter, r *http.Request, do action) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	c := &clerk{h.voice(r), h.agent}
	text, err := do(c, ctx, r.PostForm)
	n := &note{Text: text}
	if err != nil {
		n = &note{Bad: true, Text: c.Text("This was not done: %s", c.sentence(err.Error()))}
	}
	guestOf(r).tell(n)
	http.Redirect(w, r, h.guard.base+origin(r.PostFormValue("back")), http.StatusSeeOther)
}

// origin is the page that a form stands on, the first one if there is no such page.
func origin(path string) string {
	if slices.ContainsFunc(rooms, func(r room) bool { return r.Path == path }) {
		return path
	}
	return ""
}

func (c *clerk) on(ctx context.Context, _ url.Values) (string, error) {
	_, err := c.agent.On(ctx)
	return c.Text("Always-On is on. Changes travel by themselves in both directions."), err
}

func (c *clerk) off(ctx context.Context, _ url.Values) (string, error) {
	_, err := c.agent.Off(ctx)
	return c.Text("Always-On is off. What you change here waits on this device."), err
}

func (c *clerk) syncNow(ctx context.Context, _ url.Values) (string, error) {
	x, err := c.agent.Sync(ctx, true)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return c.Text("The exchange goes on. This page shows how far it has come."), nil
	case err != nil:
		return "", err
	case x.Error != "":
		return "", errors.New(x.Error + "; nothing is lost")
	case x.Problem == control.Partial:
		return c.Text("Synchronized but for some items: %s. “Waiting” names the items that could not be synchronized.", c.outcome(x)), nil
	}
	return c.Text("Synchronized: %s.", c.outcome(x)), nil
}

func (c *clerk) pause(ctx context.Context, form url.Values) (string, error) {
	until := time.Time{}
	if d, err := time.ParseDuration(form.Get("for")); err == nil && d > 0 {
		until = time.Now().Add(d)
	}
	_, err := c.agent.Pause(ctx, until)
	if until.IsZero() {
		return c.Text("Paused until you resume. What you change here waits."), err
	}
	return c.Text("Paused until %s. What you change here waits.", c.clock(until, time.Now())), err
}

func (c *clerk) resume(ctx context.Context, _ url.Values) (string, error) {
	_, err := c.agent.Resume(ctx)
	return c.Text("The pause is over. What waited is on its way."), err
}

// decideHold deletes only for somebody who says that he has looked.
func (c *clerk) decideHold(ctx context.Context, form url.Values) (string, error) {
	approve, store := form.Get("decision") == "approve", form.Get("store")
	switch {
	case !approve && form.Get("decision") != "keep":
		return "", errors.New("say whether the items are kept or deleted")
	case approve && form.Get("sure") == "":
		return "", errors.New("tick the box first, to say that you have looked at what is deleted")
	}
	_, err := c.agent.DecideHold(ctx, store, approve)
	if approve {
		return c.Text("The deletions of %s happen on both sides now. Former versions are in “History”.", store), err
	}
	return c.Text("The items of %s are kept on both sides.", store), err
}

func (c *clerk) resolve(ctx context.Context, form url.Values) (string, error) {
	keep := form.Get("keep")
	if keep != "this" && keep != "other" {
		return "", errors.New("say which version to keep")
	}
	_, err := c.agent.ResolveConflict(ctx, form.Get("item"), keep == "this")
	return c.Text("The conflict is resolved. The version that goes is in “History” and can be had back."), err
}

func (c *clerk) setFilter(ctx context.Context, form url.Values) (string, error) {
	f, err := c.asked(ctx, form)
	if err != nil {
		return "", err
	}
	set, err := c.agent.SetFilter(ctx, f)
	return c.Text("The filter of %s is changed. What it leaves out leaves this device with the next exchange and stays on the server.", set.Store), err
}

// asked is the filter that a form asks for. What is wanted besides for a time stays wanted.
func (c *clerk) asked(ctx context.Context, form url.Values) (control.Filter, error) {
	list, err := c.agent.Filters(ctx)
	if err != nil {
		return control.Filter{}, err
	}
	for _, f := range list {
		if f.Store == form.Get("store") {
			f.Filter = strings.TrimSpace(form.Get("filter"))
			return f, nil
		}
	}
	return control.Filter{}, errors.New("there is no such store")
}

func (c *clerk) setSetting(ctx context.Context, form url.Values) (string, error) {
	key, value := form.Get("key"), form.Get("value")
	change := &value
	if form.Get("reset") != "" {
		change = nil
	}
	done, err := c.agent.SetSettings(ctx, map[string]*string{key: change})
	return c.Text("%s is changed; the change %s.", key, c.effect(done.Effect)), err
}

func (c *clerk) restore(ctx context.Context, form url.Values) (string, error) {
	if form.Get("id") == "" { // without one, the agent would undo
		return "", errors.New("say which version")
	}
	list, err := c.agent.Restore(ctx, control.RestoreRequest{ID: form.Get("id")})
	return c.restored(list), err
}

func (c *clerk) undo(ctx context.Context, _ url.Values) (string, error) {
	list, err := c.agent.Restore(ctx, control.RestoreRequest{})
	return c.restored(list), err
}

func (c *clerk) restored(list []control.Restored) string {
	names := []string{}
	for _, r := range list[:min(len(list), 5)] {
		names = append(names, r.Item)
	}
	return c.Count(len(list), "%d item is as before (%s), and on the way to the server like any other edit.",
		"%d items are as before (%s), and on the way to the server like any other edit.", len(list), strings.Join(names, ", "))
}

func (c *clerk) openSession(ctx context.Context, _ url.Values) (string, error) {
	_, err := c.agent.OpenSession(ctx)
	return c.Text("A session is open."), err
}

func (c *clerk) closeSession(ctx context.Context, _ url.Values) (string, error) {
	_, err := c.agent.CloseSession(ctx)
	return c.Text("The session is closed. Always-On stays as it is, and the next change opens another one."), err
}

// compare proves that both sides hold the same.
func (c *clerk) compare(ctx context.Context, _ url.Values) (string, error) {
	list, err := c.agent.Verify(ctx)
	if err != nil {
		return "", err
	}
	items := 0
	for _, v := range list {
		if len(v.Differ) > 0 {
			return "", errors.New(c.Count(len(v.Differ), "%s: %d item differs from the server; the next exchange repairs it, and deletes nothing",
				"%s: %d items differ from the server; the next exchange repairs it, and deletes nothing", v.Store, len(v.Differ)))
		}
		items += v.Items
	}
	return c.Count(items, "Compared: %d item is equal on both sides.", "Compared: %d items are equal on both sides.", items), nil
}
