// Package mo is the management objects of a device: the one table of settings, with what each is called in the configuration and in the tree, and
// the description of the tree that follows from it.
package mo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
)

// Effect is what follows on a device from a change of a setting (S2).
type Effect int

// The effects, in the order of what they ask of a device.
const (
	None    Effect = iota // in use at once, and nothing is exchanged
	Open                  // a session is opened
	Sync                  // an exchange follows in the session that is there
	Restart               // session and transport are broken, and made anew with an incremental sync
)

var effects = [...]string{"none", "open", "sync", "restart"}

func (e Effect) String() string { return effects[e] }

// Type is what values of a setting look like as text.
type Type int

// The types.
const (
	Text     Type = iota
	Integer       // decimal
	Duration      // "90s", "10m"; more than 0
	Bool          // true, false
	PEM           // certificates or a key, or the file that they are in
)

var types = [...]string{"text", "integer", "duration", "bool", "PEM or file"}

func (t Type) String() string { return types[t] }

// Setting is one row of the table. In Key and Node "*" stands for the name of a store: there is one of the setting for each.
type Setting struct {
	Key      string // in the configuration
	Node     string // address in the tree
	Type     Type
	Default  string // what holds if nobody says anything
	Min, Max int64  // of an Integer, or of a Duration in seconds; Max 0 is any
	OneOf    []string
	Seconds  bool // a Duration that the tree has as a number of seconds
	Secret   bool // can be set and never be read
	Effect   Effect
	Help     string // one sentence
}

// each is what stands for the name of a store.
const each = "*"

// Find is the setting with a key of the configuration, e.g. "session.poll" or "store.contacts.filter".
func Find(key string) (*Setting, bool) {
	for i := range Table {
		if _, ok := match(Table[i].Key, key, "."); ok {
			return &Table[i], true
		}
	}
	return nil, false
}

// At is the setting of a node, with the key that it has there.
func At(p dm.Path) (s *Setting, key string, ok bool) {
	for i := range Table {
		if name, ok := match(Table[i].Node, p.String(), "/"); ok {
			return &Table[i], strings.Replace(Table[i].Key, each, name, 1), true
		}
	}
	return nil, "", false
}

// match compares a text with a pattern in which one part may stand for any.
func match(pattern, text, separator string) (name string, ok bool) {
	before, after, variable := strings.Cut(pattern, each)
	if !variable {
		return "", pattern == text
	}
	if len(text) <= len(before)+len(after) || !strings.HasPrefix(text, before) || !strings.HasSuffix(text, after) {
		return "", false
	}
	name = text[len(before) : len(text)-len(after)]
	return name, separator != "/" || !strings.Contains(name, separator)
}

// Of is the address of the setting for a key that is its own.
func (s *Setting) Of(key string) dm.Path {
	name, _ := match(s.Key, key, ".")
	return dm.Path(strings.Split(strings.Replace(strings.TrimPrefix(s.Node, "./"), each, name, 1), "/"))
}

// Check refuses a text that cannot be a value.
func (s *Setting) Check(text string) error {
	switch s.Type {
	case Integer:
		return s.checkInteger(text)
	case Duration:
		return s.checkDuration(text)
	case PEM:
		return checkPEM(text)
	case Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false", text)
		}
	case Text:
		if len(s.OneOf) > 0 && !slices.Contains(s.OneOf, text) {
			return fmt.Errorf("%q is none of %s", text, strings.Join(s.OneOf, ", "))
		}
	}
	return nil
}

func (s *Setting) checkDuration(text string) error {
	d, err := time.ParseDuration(text)
	switch least, most := time.Duration(s.Min)*time.Second, time.Duration(s.Max)*time.Second; {
	case err != nil || d <= 0:
		return fmt.Errorf("%q is no duration like \"90s\" or \"10m\"", text)
	case d < least:
		return fmt.Errorf("%v is less than %v", d, least)
	case most != 0 && d > most:
		return fmt.Errorf("%v is more than %v", d, most)
	}
	return nil
}

func (s *Setting) checkInteger(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return fmt.Errorf("%q is no number", text)
	case n < s.Min:
		return fmt.Errorf("%d is less than %d", n, s.Min)
	case s.Max != 0 && n > s.Max:
		return fmt.Errorf("%d is more than %d", n, s.Max)
	}
	return nil
}

// Bounds are what values are possible, in words; "" is any of the type.
func (s *Setting) Bounds() string {
	switch {
	case len(s.OneOf) > 0:
		return "one of " + strings.Join(s.OneOf, ", ")
	case s.Type == Duration:
		return "more than 0"
	case s.Type != Integer:
		return ""
	case s.Max == 0:
		return fmt.Sprintf("at least %d", s.Min)
	}
	return fmt.Sprintf("%d to %d", s.Min, s.Max)
}

// Same tells whether two texts are the same value.
func (s *Setting) Same(a, b string) bool {
	if s.Type == Duration {
		x, e1 := time.ParseDuration(a)
		y, e2 := time.ParseDuration(b)
		return e1 == nil && e2 == nil && x == y || a == b
	}
	return a == b
}

// Format is that of the node.
func (s *Setting) Format() dm.Format {
	switch {
	case s.Type == Bool:
		return dm.FormatBool
	case s.Type == Integer || s.Seconds:
		return dm.FormatInt
	}
	return dm.FormatChr
}

// Value is a text as the node has it.
func (s *Setting) Value(text string) dm.Value {
	if d, err := time.ParseDuration(text); s.Seconds && err == nil {
		text = strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
	}
	return dm.Value{Format: s.Format(), Data: []byte(text)}
}

// Text is the value of a node as the configuration has it.
func (s *Setting) Text(v dm.Value) string {
	if n, err := strconv.ParseInt(string(v.Data), 10, 32); s.Seconds && err == nil {
		return (time.Duration(n) * time.Second).String()
	}
	if s.Type == Bool {
		return strconv.FormatBool(IsTrue(v))
	}
	return string(v.Data)
}

// IsTrue tells what a value of format bool means; peers write it in many ways (protocol.md H.9).
func IsTrue(v dm.Value) bool {
	return string(v.Data) == "1" || strings.EqualFold(string(v.Data), "true")
}
