// Package say says messages in the user's language, for what a person talks to: the command line, the tray and the status page.
//
// The agent itself speaks English: to its log, in its journal, and in what it answers over the control API, which scripts read, whatever the locale of the
// service is. A program of the user speaks his language by the functions of this package, and a page that somebody else serves by a Speaker. The English format is the key of a message, so that the source stays readable, and an English sentence that comes from the agent, from a
// library or from a journal of last week is recognised by the format that it was made with; see Sentence. What has no translation stays English.
package say

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"
)

// Speaker says messages in one language. The zero value speaks English.
type Speaker struct {
	language string
	open     func() *catalog // nil for English
}

// In speaks the first of some languages that is known, given as in a locale ("de_AT.UTF-8") or as on the web ("de-AT"). English ends the search, and so
// does the end of the list. The catalog is read when the first message is said, and forgotten with the Speaker and its copies.
func In(languages ...string) Speaker {
	name := choose(languages)
	if name == "" {
		return Speaker{}
	}
	return Speaker{name, sync.OnceValue(func() *catalog { return open(name) })}
}

// Language is what is spoken, such as "en".
func (s Speaker) Language() string { return cmp.Or(s.language, "en") }

// catalog is that of the language, nil for English.
func (s Speaker) catalog() *catalog {
	if s.open == nil {
		return nil
	}
	return s.open()
}

// Text is a message in the language. The format must be a constant: it is the key, and the test of this package looks for it in the catalogs.
func (s Speaker) Text(format string, args ...any) string {
	c := s.catalog()
	if c == nil {
		return fmt.Sprintf(format, args...)
	}
	return fmt.Sprintf(c.text(format), args...)
}

// Count is a message about n things: one is the format for a single thing, many that for all other numbers, both with the same verbs.
func (s Speaker) Count(n int, one, many string, args ...any) string {
	c := s.catalog()
	switch {
	case c != nil:
		return fmt.Sprintf(c.count(n, one, many), args...)
	case n == 1:
		return fmt.Sprintf(one, args...)
	}
	return fmt.Sprintf(many, args...)
}

// Word is one of a closed list of words that the control API uses, such as a state, in the language.
func (s Speaker) Word(english string) string {
	if c := s.catalog(); c != nil {
		return c.word(english)
	}
	return english
}

// Sentence says in the language what somebody has said in English: the agent over its API, or an error. It finds the format that the sentence was
// made with, or those of its parts, and takes out what was put in. Parts that nobody has translated, such as what an operating system says, stay as they are.
func (s Speaker) Sentence(english string) string {
	if c := s.catalog(); c != nil {
		return c.sentence(english)
	}
	return english
}

// mine is who speaks for the whole process, like time.Local: the language is the user's, not the caller's.
var mine atomic.Pointer[Speaker]

// Use lets the functions of this package speak as In does. An agent that runs as a service says nothing, and so reads no catalog.
func Use(languages ...string) {
	s := In(languages...)
	mine.Store(&s)
}

func user() Speaker {
	if s := mine.Load(); s != nil {
		return *s
	}
	return Speaker{}
}

// Text is Speaker.Text in the user's language.
func Text(format string, args ...any) string { return user().Text(format, args...) }

// Count is Speaker.Count in the user's language.
func Count(n int, one, many string, args ...any) string { return user().Count(n, one, many, args...) }

// Word is Speaker.Word in the user's language.
func Word(english string) string { return user().Word(english) }

// Sentence is Speaker.Sentence in the user's language.
func Sentence(english string) string { return user().Sentence(english) }
