package say

import (
	"embed"
	"slices"
	"strings"
	"sync"

	"github.com/chai2010/gettext-go/plural"
	"github.com/chai2010/gettext-go/po"
)

// catalogs are the languages that are known besides English, by the name of the file. Who adds a file has added a language.
//
//go:embed *.po
var catalogs embed.FS

// The contexts of messages that come from elsewhere than Text and Count.
const (
	ofSentences = "sentence"
	ofWords     = "word"
)

// catalog is a language.
type catalog struct {
	form      func(n int) int
	messages  map[string]*message // of Text and Count, by the format in English
	words     map[string]string
	constants func() map[string]*message // sentences without values, by what they are in English
	patterns  func() []pattern           // of the others, those that say most first
}

// message is one of a catalog without its comments, which take most of the memory of a po.Message.
type message struct {
	one, many string   // in English; many is "" if it counts nothing
	said      string   // in the language,
	counted   []string // or else its forms for numbers
}

// open reads a catalog by its language.
func open(language string) *catalog {
	text, err := catalogs.ReadFile(language + ".po")
	if err != nil {
		return nil
	}
	return read(language, text)
}

// read reads a catalog. One that is not in order is a mistake that the tests find; whoever runs the program is told in English then.
func read(language string, text []byte) *catalog {
	f, err := po.Load(text)
	if err != nil {
		return nil
	}
	c := &catalog{form: plural.Formula(language), messages: map[string]*message{}, words: map[string]string{}}
	var heard []*message
	for _, m := range f.Messages {
		switch kept := (&message{m.MsgId, m.MsgIdPlural, m.MsgStr, m.MsgStrPlural}); m.MsgContext {
		case ofSentences:
			heard = append(heard, kept)
		case ofWords:
			c.words[kept.one] = kept.said
		default:
			c.messages[kept.one] = kept
		}
	}
	c.patterns = sync.OnceValue(func() []pattern { return patterns(heard) }) // who says one word needs none of them
	c.constants = sync.OnceValue(func() map[string]*message { return constants(heard) })
	return c
}

func constants(list []*message) map[string]*message {
	out := map[string]*message{}
	for _, m := range list {
		if !strings.Contains(m.one, "%") {
			out[m.one] = m
		}
	}
	return out
}

func patterns(list []*message) (out []pattern) {
	for _, m := range list {
		for _, format := range []string{m.one, m.many} {
			if strings.Contains(format, "%") {
				out = append(out, newPattern(format, m))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b pattern) int { return b.weight - a.weight })
	return out
}

func (c *catalog) text(format string) string {
	if m := c.messages[format]; m != nil {
		return m.said
	}
	return format
}

func (c *catalog) count(n int, one, many string) string {
	m := c.messages[one]
	switch {
	case m != nil:
		return m.counted[c.form(n)]
	case n == 1:
		return one
	}
	return many
}

func (c *catalog) word(english string) string {
	if w := c.words[english]; w != "" {
		return w
	}
	return english
}
