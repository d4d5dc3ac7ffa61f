// Package want remembers which filter the user wants of each store, and whether the server knows it.
package want

import (
	"fmt"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// Entry is what is known of the filter of one store.
type Entry struct {
	Filter dsclient.Filter
	// Untold: the server has to be told. Plain: it keeps no filters, and is told in each exchange.
	Untold, Plain bool
	// Refused is why the server does not filter, "" if it does.
	Refused string
	// Own is the filter as it was wished on this device last; the server may have another one in force.
	Own dsclient.Filter
	// Configured is what the configuration file said when it was looked at last: a change there is a wish, too (S6).
	Configured string
}

// Book holds the filters of all stores. It may be used from any goroutine.
type Book struct {
	db  kv.Store
	now func() time.Time

	mu      sync.Mutex
	entries map[string]Entry           // guarded by mu
	telling map[string]dsclient.Filter // what the exchange that runs tells; guarded by mu
}

const key = "filters"

// Configured is what the configuration says of a store. Pushed: an administrator has said so, from afar.
type Configured struct {
	Text   string
	Pushed bool
}

// Open reads the filters. configured are those of the configuration, by store: a store that is not in there has none.
func Open(db kv.Store, configured map[string]Configured, now func() time.Time) (*Book, error) {
	b := &Book{db: db, now: now, entries: map[string]Entry{}, telling: map[string]dsclient.Filter{}}
	if err := kv.LoadJSON(db, key, &b.entries); err != nil {
		return nil, fmt.Errorf("cannot read the filters: %w", err)
	}
	_, err := b.Configure(configured)
	return b, err
}

// Configure takes over what was changed in the configuration, and tells whether anything was.
func (b *Book) Configure(configured map[string]Configured) (changed bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for store, c := range configured {
		e := b.entries[store]
		if e.Configured == c.Text {
			continue
		}
		changed = true
		f := dsclient.Filter{Text: c.Text, Travel: e.Filter.Travel, Until: e.Filter.Until}
		if !c.Pushed {
			e.Own = f
		}
		b.entries[store] = Entry{Filter: f, Own: e.Own, Untold: true, Configured: c.Text}
	}
	if !changed {
		return false, nil
	}
	return true, b.save()
}

func (b *Book) save() error {
	if err := kv.SaveJSON(b.db, key, b.entries); err != nil {
		return fmt.Errorf("cannot write the filters: %w", err)
	}
	return nil
}

// Get is the filter of a store.
func (b *Book) Get(store string) Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current(store)
}

// current is an entry without what was wanted for some time, if that is over.
func (b *Book) current(store string) Entry {
	e := b.entries[store]
	if !e.Filter.Until.IsZero() && !b.now().Before(e.Filter.Until) {
		e.Filter.Travel, e.Filter.Until = "", time.Time{}
	}
	if !e.Own.Until.IsZero() && !b.now().Before(e.Own.Until) {
		e.Own.Travel, e.Own.Until = "", time.Time{}
	}
	return e
}

// Leaves tells of items of a store whether the filter that was wished on this device leaves them out. What cannot be judged is in.
func (b *Book) Leaves(store string, kind pim.Kind) func(pim.Item) bool {
	return func(item pim.Item) bool {
		own := b.Get(store).Own
		in := func(text string) bool {
			f, err := filter.Parse(text)
			return err != nil || f.Match(item, kind, b.now())
		}
		return !in(own.Text) && (own.Travel == "" || !in(own.Travel))
	}
}

// Set makes a filter wanted. The server is told in the next exchange.
func (b *Book) Set(store string, f dsclient.Filter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.put(store, Entry{Filter: f, Own: f, Untold: true, Configured: b.entries[store].Configured})
}

// SetConfigured is Set for a filter that the configuration is about to say, too.
func (b *Book) SetConfigured(store string, f dsclient.Filter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.put(store, Entry{Filter: f, Own: f, Untold: true, Configured: f.Text})
}

// Agree notes that the configuration is about to say what is wanted already.
func (b *Book) Agree(store string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[store]
	e.Configured = e.Filter.Text
	return b.put(store, e)
}

// put is durable, or not there.
func (b *Book) put(store string, e Entry) error {
	former, known := b.entries[store]
	b.entries[store] = e
	err := b.save()
	switch {
	case err == nil:
	case known:
		b.entries[store] = former
	default:
		delete(b.entries, store)
	}
	return err
}

// Outgoing is the filter that the server must be told for a store; nil if it knows.
func (b *Book) Outgoing(store string) *dsclient.Filter {
	e := b.Get(store)
	if !e.Untold && !e.Plain || e.Plain && e.Refused != "" {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.telling[store] = e.Filter
	return &e.Filter
}

// Note takes what the server said about a store in an exchange that went well. Filters may have been changed on the server (F1): what it
// knows counts, unless the user has changed his mind meanwhile.
func (b *Book) Note(store string, r *dsclient.StoreReport) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Filter != nil && r.Filter.Preview {
		return
	}
	e := b.current(store)
	told, sent := b.telling[store]
	delete(b.telling, store)
	former := b.entries[store]
	switch {
	case e.Untold && (!sent || told != e.Filter):
		return
	case r.Refused != nil:
		e.Untold, e.Refused = false, r.Refused.Error()
	case r.Filter != nil:
		e.Filter, e.Untold, e.Plain, e.Refused = *r.Filter, false, false, ""
	case sent:
		e.Untold, e.Plain, e.Refused = false, e.Filter.Text != "", ""
	}
	if e != former {
		b.entries[store] = e
		b.save() //nolint:errcheck // the server is told again, which changes nothing
	}
}
