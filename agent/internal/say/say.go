// Package say says messages in the user's language, for the programs that a person talks to: the command line and the tray.
//
// The agent itself speaks English: to its log, in its journal, and in what it answers over the control API, which scripts read, whatever the locale of the
// service is. The English format is the key of a message, so that the source stays readable, and an English sentence that comes from the agent, from a
// library or from a journal of last week is recognised by the format that it was made with; see Sentence. What has no translation stays English.
package say

import (
	"fmt"
	"sync/atomic"
)

// current opens what messages are said in, nil for English. It is one for the whole process, like time.Local: it is the user's, not the caller's.
var current atomic.Pointer[func() *catalog]

// Use speaks the first of some languages that is known, given as in a locale ("de_AT.UTF-8"). English ends the search, and so does the end of the list.
// The catalog is read when the first message is said: an agent that runs as a service says none.
func Use(languages ...string) {
	if open := choose(languages); open != nil {
		current.Store(&open)
	} else {
		current.Store(nil)
	}
}

// spoken is the catalog of the language that is used, nil for English.
func spoken() *catalog {
	if open := current.Load(); open != nil {
		return (*open)()
	}
	return nil
}

// Text is a message in the user's language. The format must be a constant: it is the key, and the test of this package looks for it in the catalogs.
func Text(format string, args ...any) string {
	c := spoken()
	if c == nil {
		return fmt.Sprintf(format, args...)
	}
	return fmt.Sprintf(c.text(format), args...)
}

// Count is a message about n things: one is the format for a single thing, many that for all other numbers, both with the same verbs.
func Count(n int, one, many string, args ...any) string {
	c := spoken()
	switch {
	case c != nil:
		return fmt.Sprintf(c.count(n, one, many), args...)
	case n == 1:
		return fmt.Sprintf(one, args...)
	}
	return fmt.Sprintf(many, args...)
}

// Word is one of a closed list of words that the control API uses, such as a state, in the user's language.
func Word(english string) string {
	if c := spoken(); c != nil {
		return c.word(english)
	}
	return english
}

// Sentence says in the user's language what somebody has said in English: the agent over its API, or an error. It finds the format that the sentence was
// made with, or those of its parts, and takes out what was put in. Parts that nobody has translated, such as what an operating system says, stay as they are.
func Sentence(english string) string {
	if c := spoken(); c != nil {
		return c.sentence(english)
	}
	return english
}
