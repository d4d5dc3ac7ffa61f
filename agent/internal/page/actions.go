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

// action does what a form asks for, and tells what came of it.
type action func(ctx context.Context, agent *control.Client, form url.Values) (string, error)

// actions are all forms but those that only ask, by path.
var actions = map[string]action{
	"on":               on,
	"off":              off,
	"sync":             syncNow,
	"pause":            pause,
	"resume":           resume,
	"holds":            decideHold,
	"conflicts":        resolve,
	"filters":          setFilter,
	"settings":         setSetting,
	"history/restore":  restore,
	"history/undo":     undo,
	"session/open":     openSession,
	"session/close":    closeSession,
	"overview/compare": compare,
}

// patience is how long a browser waits for what may take long, such as an exchange.
const patience = 30 * time.Second

// act carries out an action and shows the page from which it came, so that loading that again does nothing twice.
func (h *house) act(w http.ResponseWriter, r *http.Request, do action) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	text, err := do(ctx, h.agent, r.PostForm)
	n := &note{Text: text}
	if err != nil {
		n = &note{Bad: true, Text: "This was not done: " + sentence(err.Error())}
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

func on(ctx context.Context, agent *control.Client, _ url.Values) (string, error) {
	_, err := agent.On(ctx)
	return "Always-On is on. Changes travel by themselves in both directions.", err
}

func off(ctx context.Context, agent *control.Client, _ url.Values) (string, error) {
	_, err := agent.Off(ctx)
	return "Always-On is off. What you change here waits on this device.", err
}

func syncNow(ctx context.Context, agent *control.Client, _ url.Values) (string, error) {
	x, err := agent.Sync(ctx, true)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "The exchange goes on. This page shows how far it has come.", nil
	case err != nil:
		return "", err
	case x.Error != "":
		return "", errors.New(x.Error + "; nothing is lost")
	case x.Problem == control.Partial:
		return "Synchronized but for some items: " + outcome(x) + ". “Waiting” names the items that could not be synchronized.", nil
	}
	return "Synchronized: " + outcome(x) + ".", nil
}

func pause(ctx context.Context, agent *control.Client, form url.Values) (string, error) {
	until := time.Time{}
	if d, err := time.ParseDuration(form.Get("for")); err == nil && d > 0 {
		until = time.Now().Add(d)
	}
	_, err := agent.Pause(ctx, until)
	if until.IsZero() {
		return "Paused until you resume. What you change here waits.", err
	}
	return "Paused until " + clock(until, time.Now()) + ". What you change here waits.", err
}

func resume(ctx context.Context, agent *control.Client, _ url.Values) (string, error) {
	_, err := agent.Resume(ctx)
	return "The pause is over. What waited is on its way.", err
}

// decideHold deletes only for somebody who says that he has looked.
func decideHold(ctx context.Context, agent *control.Client, form url.Values) (string, error) {
	approve, store := form.Get("decision") == "approve", form.Get("store")
	switch {
	case !approve && form.Get("decision") != "keep":
		return "", errors.New("say whether the items are kept or deleted")
	case approve && form.Get("sure") == "":
		return "", errors.New("tick the box first, to say that you have looked at what is deleted")
	}
	_, err := agent.DecideHold(ctx, store, approve)
	if approve {
		return "The deletions of " + store + " happen on both sides now. Former versions are in “History”.", err
	}
	return "The items of " + store + " are kept on both sides.", err
}

func resolve(ctx context.Context, agent *control.Client, form url.Values) (string, error) {
	keep := form.Get("keep")
	if keep != "this" && keep != "other" {
		return "", errors.New("say which version to keep")
	}
	_, err := agent.ResolveConflict(ctx, form.Get("item"), keep == "this")
	return "The conflict is resolved. The version that goes is in “History” and can be had back.", err
}

func setFilter(ctx context.Context, agent *control.Client, form url.Values) (string, error) {
	f, err := asked(ctx, agent, form)
	if err != nil {
		return "", err
	}
	set, err := agent.SetFilter(ctx, f)
	return "The filter of " + set.Store + " is changed. What it leaves out leaves this device with the next exchange and stays on the server.", err
}

// asked is the filter that a form asks for. What is wanted besides for a time stays wanted.
func asked(ctx context.Context, agent *control.Client, form url.Values) (control.Filter, error) {
	list, err := agent.Filters(ctx)
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

func setSetting(ctx context.Context, agent *control.Client, form url.Values) (string, error) {
	key, value := form.Get("key"), form.Get("value")
	change := &value
	if form.Get("reset") != "" {
		change = nil
	}
	done, err := agent.SetSettings(ctx, map[string]*string{key: change})
	return key + " is changed; the change " + effect(done.Effect) + ".", err
}

func restore(ctx context.Context, agent *control.Client, form url.Values) (string, error) {
	if form.Get("id") == "" { // without one, the agent would undo
		return "", errors.New("say which version")
	}
	list, err := agent.Restore(ctx, control.RestoreRequest{ID: form.Get("id")})
	return restored(list), err
}

func undo(ctx context.Context, agent *control.Client, _ url.Values) (string, error) {
	list, err := agent.Restore(ctx, control.RestoreRequest{})
	return restored(list), err
}

func restored(list []control.Restored) string {
	names := []string{}
	for _, r := range list[:min(len(list), 5)] {
		names = append(names, r.Item)
	}
	return plural(len(list), "item is", "items are") + " as before (" + strings.Join(names, ", ") + "), and on the way to the server like any other edit."
}

func openSession(ctx context.Context, agent *control.Client, _ url.Values) (string, error) {
	_, err := agent.OpenSession(ctx)
	return "A session is open.", err
}

func closeSession(ctx context.Context, agent *control.Client, _ url.Values) (string, error) {
	_, err := agent.CloseSession(ctx)
	return "The session is closed. Always-On stays as it is, and the next change opens another one.", err
}

// compare proves that both sides hold the same.
func compare(ctx context.Context, agent *control.Client, _ url.Values) (string, error) {
	list, err := agent.Verify(ctx)
	if err != nil {
		return "", err
	}
	items := 0
	for _, v := range list {
		if len(v.Differ) > 0 {
			return "", errors.New(v.Store + ": " + plural(len(v.Differ), "item differs", "items differ") + " from the server; the next exchange repairs it, and deletes nothing")
		}
		items += v.Items
	}
	return "Compared: " + plural(items, "item is", "items are") + " equal on both sides.", nil
}
