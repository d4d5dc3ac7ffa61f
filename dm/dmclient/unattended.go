package dmclient

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// maxNote is how much of what a server says is noted, in octets.
const maxNote = 200

// Unattended answers what a server asks of a user of whom nobody knows whether he is there (protocol.md H.2): by the default that the server names (DR), and by 408
// without one, as when the time of the question is over. What it says and what it was answered is noted, for him to read later.
func Unattended(note func(text string)) func(*syncml.Alert) (ds.Status, []syncml.Item) {
	return func(a *syncml.Alert) (ds.Status, []syncml.Item) {
		code, items := unattended(a)
		said := "the administrator's server says: " + text(a, 1)
		if a.Code != dm.AlertDisplay {
			said = "the administrator's server asked: " + text(a, 1) + "; it was answered by itself: " + words(code, items)
		}
		note(said)
		return code, items
	}
}

func unattended(a *syncml.Alert) (ds.Status, []syncml.Item) {
	answer, named := fallback(a)
	switch a.Code {
	case dm.AlertDisplay:
		return ds.StatusOK, nil
	case dm.AlertConfirm:
		switch {
		case named && answer == "1":
			return ds.StatusOK, nil
		case named && answer == "0":
			return ds.StatusNotModified, nil
		}
	case dm.AlertTextInput:
		if named {
			return ds.StatusOK, []syncml.Item{{Data: &syncml.Data{Bytes: []byte(answer)}}}
		}
	case dm.AlertSingleChoice, dm.AlertMultipleChoice:
		if items := chosen(a, answer); len(items) == 1 || len(items) > 1 && a.Code == dm.AlertMultipleChoice {
			return ds.StatusOK, items
		}
	}
	return ds.StatusTimeout, nil
}

// fallback is the answer that the options of a question name.
func fallback(a *syncml.Alert) (answer string, named bool) {
	options, err := url.ParseQuery(text(a, 0))
	return options.Get("DR"), err == nil && options.Has("DR")
}

// chosen are the choices that an answer names by their numbers from 1, nil if there is one among them that there is not.
func chosen(a *syncml.Alert, answer string) (items []syncml.Item) {
	for _, number := range strings.FieldsFunc(answer, func(r rune) bool { return r < '0' || r > '9' }) {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > len(a.Items)-2 {
			return nil
		}
		items = append(items, syncml.Item{Data: &syncml.Data{Bytes: []byte(number)}})
	}
	return items
}

// text is that of an item, in one line of a bounded length.
func text(a *syncml.Alert, i int) string {
	if i >= len(a.Items) || a.Items[i].Data == nil {
		return ""
	}
	b := a.Items[i].Data.Bytes
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(b[:min(len(b), maxNote)]), "")), " ")
}

// words are an answer for a person.
func words(code ds.Status, items []syncml.Item) string {
	var out []string
	for i := range items {
		out = append(out, string(items[i].Data.Bytes))
	}
	switch {
	case len(out) > 0:
		return strings.Join(out, ", ")
	case code == ds.StatusOK:
		return "yes"
	case code == ds.StatusNotModified:
		return "no"
	}
	return "nobody is there"
}
