// Package managed is what the agent is configured to do: the configuration (files and environment), and over it what administrators and users have set since. Whatever
// road a change comes by, it is checked as a whole, durable before it is in use, and taken back if the device cannot be reached with it (S6, S10).
package managed

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/pim/safefile"
)

// Origin is who said what holds.
type Origin string

// The origins.
const (
	Default     Origin = config.OfDefault
	System      Origin = config.OfSystem // the configuration for everybody on the machine
	File        Origin = config.OfUser
	Environment Origin = config.OfEnvironment
	User        Origin = "user"          // the command line or the tray
	Pushed      Origin = "administrator" // device management
	Back        Origin = "fallback"      // what worked before, see Probation
)

// Entry is a value that somebody has set over the file.
type Entry struct {
	Value string
	By    Origin
	At    time.Time
	// Seen is what the file said then. When the file says something else, that is the later wish, and the entry goes (S6).
	Seen string
}

// Probation is the time in which new ways to the server have to prove themselves (S10).
type Probation struct {
	Until  time.Time
	Former map[string]string // what held when the device was last known to work, of all that breaks the session
}

// book is what is remembered.
type book struct {
	Entries   map[string]Entry
	Probation *Probation `json:",omitempty"`
	// Report is what the administrator has to be told of values that were taken back, by key: why.
	Report map[string]string `json:",omitempty"`
}

func (b book) clone() book {
	b.Entries, b.Report = maps.Clone(b.Entries), maps.Clone(b.Report)
	return b
}

// Settings are the settings of an agent. They may be used from any goroutine.
type Settings struct {
	now     func() time.Time
	dir     string
	changed chan struct{} // capacity one

	mu   sync.Mutex
	file *config.File   // guarded by mu
	book book           // guarded by mu
	live *config.Config // what holds; guarded by mu
	// reason is why it holds since the last change, of which there were so many; guarded by mu.
	reason  string
	changes int
}

const bookName = "managed.json"

// Open reads the file and what was set over it, which lies in a folder beside the state of the agent. What no longer fits the file is an error of
// type *config.Error.
func Open(path string, now func() time.Time) (*Settings, error) {
	f, err := config.Read(path)
	if err != nil {
		return nil, err
	}
	return open(f, now)
}

// OpenFrom is Open for a configuration from elsewhere.
func OpenFrom(s config.Sources, now func() time.Time) (*Settings, error) {
	f, err := config.ReadFrom(s)
	if err != nil {
		return nil, err
	}
	return open(f, now)
}

func open(f *config.File, now func() time.Time) (*Settings, error) {
	base, err := f.With(nil)
	if err != nil {
		return nil, err
	}
	s := &Settings{now: now, file: f, dir: filepath.Clean(base.State) + "-settings", changed: make(chan struct{}, 1)}
	if err := s.load(); err != nil {
		return nil, err
	}
	if s.live, err = f.With(s.book.over(f)); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Settings) load() error {
	s.book = book{Entries: map[string]Entry{}}
	text, err := os.ReadFile(filepath.Join(s.dir, bookName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("cannot read what was set: %w", err)
	}
	if err := json.Unmarshal(text, &s.book); err != nil {
		return fmt.Errorf("cannot read %s: %w", filepath.Join(s.dir, bookName), err)
	}
	return nil
}

// save makes a book durable.
func (s *Settings) save(b book) error {
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	if err := safefile.WriteFile(filepath.Join(s.dir, bookName), text, 0o600); err != nil {
		return fmt.Errorf("cannot keep settings: %w", err)
	}
	return nil
}

// over are the values of a book that hold over a file.
func (b *book) over(f *config.File) map[string]string {
	out := map[string]string{}
	locked := b.locked()
	for key, e := range b.Entries {
		said, ok := f.Get(key)
		if ok && (locked[key] || said == e.Seen) {
			out[key] = e.Value
		}
	}
	return out
}

// locked are the keys that only the administrator can change.
func (b *book) locked() map[string]bool {
	out := map[string]bool{}
	for _, key := range strings.Fields(b.Entries[mo.Locked].Value) {
		out[key] = true
	}
	return out
}

// Config is what holds.
func (s *Settings) Config() *config.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

// Path is that of the configuration file.
func (s *Settings) Path() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file.Path()
}

// Changed receives when something else holds than before.
func (s *Settings) Changed() <-chan struct{} { return s.changed }

// Reason is why what holds does so, in words for the log of the session, and after how many changes since Open.
func (s *Settings) Reason() (text string, changes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason, s.changes
}

// Locked tells whether only the administrator can change a setting.
func (s *Settings) Locked(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.book.locked()[key]
}

// ErrLocked is the answer to a user or a file that wants to change what is locked.
var ErrLocked = errors.New("locked by the administrator")

// Set changes settings together, all or none; nil takes a value that was set over the file away, but not one that the user has set since the
// administrator has. What follows is the effect that asks the most.
func (s *Settings) Set(by Origin, values map[string]*string) (mo.Effect, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.book.clone()
	locked := s.book.locked()
	for key, v := range values {
		if locked[key] && by != Pushed {
			return 0, fmt.Errorf("cannot change %s: %w", key, ErrLocked)
		}
		if v == nil {
			if by != Pushed || next.Entries[key].By != User {
				delete(next.Entries, key)
			}
			continue
		}
		if err := s.exists(key, *v); err != nil {
			return 0, err
		}
		seen, _ := s.file.Get(key)
		next.Entries[key] = Entry{Value: *v, By: by, At: s.now(), Seen: seen}
	}
	return s.take(s.file, next, "settings changed by the "+string(by))
}

// exists refuses keys that there are not, also as those that are to be locked.
func (s *Settings) exists(key, value string) error {
	keys := []string{key}
	if key == mo.Locked {
		keys = strings.Fields(value)
	}
	for _, key := range keys {
		if key == mo.Switch {
			return &config.Error{Path: s.file.Path(), Mistakes: []string{key + " is flipped by alwayson on and alwayson off"}}
		}
		if _, ok := s.file.Get(key); !ok {
			return &config.Error{Path: s.file.Path(), Mistakes: []string{"there is no setting " + key}}
		}
	}
	return nil
}

// Reload reads the file again, if it has changed. A file with mistakes changes nothing and is an error.
func (s *Settings) Reload() (mo.Effect, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.file.Again()
	if err != nil {
		return 0, err
	}
	return s.take(f, s.book.clone(), "the configuration file was changed")
}

// take checks, remembers and takes into use what shall hold.
func (s *Settings) take(f *config.File, next book, reason string) (mo.Effect, error) {
	live, err := f.With(next.over(f))
	if err != nil {
		return 0, err
	}
	effect, same := s.effect(live)
	same = same && reflect.DeepEqual(live, s.live)
	next.drop(f)
	if effect == mo.Restart && next.Probation == nil {
		next.Probation = &Probation{Former: ways(s.live)}
	}
	if effect == mo.Restart {
		next.Probation.Until = s.now().Add(time.Duration(live.Session.Probation))
	}
	if !reflect.DeepEqual(next, s.book) {
		if err := s.save(next); err != nil {
			return 0, err
		}
	}
	s.file, s.book, s.live = f, next, live
	if !same {
		s.reason = reason
		s.tell()
	}
	return effect, nil
}

// ways are the settings that a session cannot outlive.
func ways(c *config.Config) map[string]string {
	out := map[string]string{}
	for _, key := range c.Keys() {
		if s, _ := mo.Find(key); s.Effect == mo.Restart {
			out[key], _ = c.Get(key)
		}
	}
	return out
}

// drop forgets what the file has been changed over.
func (b *book) drop(f *config.File) {
	over := b.over(f)
	maps.DeleteFunc(b.Entries, func(key string, _ Entry) bool {
		_, holds := over[key]
		return !holds && key != mo.Locked
	})
}

// effect is what follows if another configuration holds.
func (s *Settings) effect(live *config.Config) (most mo.Effect, same bool) {
	same = true
	for _, key := range live.Keys() {
		was, _ := s.live.Get(key)
		now, _ := live.Get(key)
		setting, _ := mo.Find(key)
		if !setting.Same(was, now) {
			most, same = max(most, setting.Effect), false
		}
	}
	return most, same
}

func (s *Settings) tell() {
	s.changes++
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Value is a setting as it is shown.
type Value struct {
	Key, Value string
	Origin     Origin
	Where      string    // path of the file or name of the variable, if it is the configuration that says so
	At         time.Time // it was set; zero for the file and defaults
	Locked     bool
	Effect     mo.Effect
}

// Values are all settings in order.
func (s *Settings) Values() (out []Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	over, locked := s.book.over(s.file), s.book.locked()
	for _, key := range s.live.Keys() {
		setting, _ := mo.Find(key)
		v := Value{Key: key, Locked: locked[key], Effect: setting.Effect}
		v.Value, _ = s.live.Get(key)
		origin, where := s.file.Origin(key)
		v.Origin, v.Where = Origin(origin), where
		if _, set := over[key]; set {
			e := s.book.Entries[key]
			v.Origin, v.Where, v.At = e.By, "", e.At
		}
		out = append(out, v)
	}
	return slices.Clip(out)
}
