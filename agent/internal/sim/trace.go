package sim

import (
	"fmt"
	"strings"

	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// say writes a message into the trace, short.
func (w *World) say(from, to string, body []byte) {
	if w.trace == nil {
		return
	}
	m, err := syncml.Decode(body, syncml.WBXML)
	if err != nil {
		w.logf("  %s to %s: %v", from, to, err)
		return
	}
	out := []string{strings.Join(m.Header.Meta.EMI, " ")}
	for _, c := range m.Commands {
		out = append(out, commandText(c))
	}
	w.logf("  %s to %s: %s", from, to, strings.TrimSpace(strings.Join(out, " ")))
}

func commandText(c syncml.Command) string {
	switch c := c.(type) {
	case *syncml.Status:
		return fmt.Sprintf("%s=%d", c.Cmd, c.Code)
	case *syncml.Alert:
		return fmt.Sprintf("Alert(%d)", c.Code)
	case *syncml.Sync:
		var inner []string
		for _, c := range c.Commands {
			inner = append(inner, commandText(c))
		}
		return "Sync{" + strings.Join(inner, " ") + "}"
	case *syncml.Change:
		return changeText(c)
	case *syncml.Map:
		var items []string
		for _, it := range c.Items {
			items = append(items, short(it.Target)+"="+short(it.Source))
		}
		return "Map(" + strings.Join(items, " ") + ")"
	}
	return c.CommandName()
}

func changeText(c *syncml.Change) string {
	it := &c.Items[0]
	parts := []string{c.CommandName()}
	for _, l := range []*syncml.Location{it.Target, it.Source} {
		if l != nil {
			parts = append(parts, short(l.URI))
		}
	}
	if v := c.Meta.Version + it.Meta.Version; v != "" {
		parts = append(parts, "base "+short(v))
	}
	if it.Data != nil {
		parts = append(parts, bodyText(it.Data.Bytes))
	}
	return "(" + strings.Join(append(parts, c.Meta.EMI...), " ") + ")"
}

// short is as much of an id as tells it from others.
func short(id string) string { return id[:min(len(id), 4)] }

// bodyText is what matters of an item.
func bodyText(body []byte) string {
	return strings.TrimSpace(uid(body)) + " " + strings.Join(marks(body), ",")
}

// did tells what a user did.
func (w *World) did(by, what string, e *entry) {
	if w.trace != nil {
		w.logf("  user of %s %s %s: %s", by, what, e.key, itemText(e.item))
	}
}

func itemText(it pim.Item) string {
	if it.Type == pim.TypeFolder {
		return "folder " + it.Folder
	}
	return fmt.Sprintf("%s in %q flags %q", bodyText(it.Body), it.Folder, it.Flags)
}
