package agent

import (
	"log/slog"

	"github.com/alwayson-sync/alwayson/agent/internal/managed"
	"github.com/alwayson-sync/alwayson/agent/internal/want"
	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// filters is the book of filters with which the settings agree: what the server says of a filter is a wish like one by any other road (F1, S6).
type filters struct {
	*want.Book
	settings *managed.Settings // nil if they cannot change
	log      *slog.Logger
}

// Note implements engine.Filters.
func (f *filters) Note(store string, r *dsclient.StoreReport) {
	f.Book.Note(store, r)
	if f.settings == nil {
		return
	}
	key, e := mo.FilterOf(store), f.Get(store)
	said, ok := f.settings.Config().Get(key)
	if !ok || e.Untold || canonical(said) == canonical(e.Filter.Text) {
		return
	}
	err := f.Agree(store)
	if err == nil {
		_, err = f.settings.Set(managed.Pushed, map[string]*string{key: &e.Filter.Text})
	}
	if err != nil {
		f.log.Warn("the settings do not show the filter that holds", "store", store, "reason", err)
	}
}

// canonical is a filter as everybody writes it.
func canonical(text string) string {
	if f, err := filter.Parse(text); err == nil {
		return f.String()
	}
	return text
}
