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
	messages  map[string]*po.Message // of Text and Count, by the format in English
	words     map[string]string
	constants func() map[string]*po.Message // sentences without values, by what they are in English
	patterns  func() []pattern              // of the others, those that say most first
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
	c := &catalog{form: plural.Formula(language), messages: map[string]*po.Message{}, words: map[string]string{}}
	var heard []*po.Message
	for i := range f.Messages {
		switch m := &f.Messages[i]; m.MsgContext {
		case ofSentences:
			heard = append(heard, m)
		case ofWords:
			c.words[m.MsgId] = m.MsgStr
		default:
			c.messages[m.MsgId] = m
		}
	}
	c.patterns = sync.OnceValue(func() []pattern { return patterns(heard) }) // who says one word needs none of them
	c.constants = sync.OnceValue(func() map[string]*po.Message { return constants(heard) })
	return c
}

func constants(list []*po.Message) map[string]*po.Message {
	out := map[string]*po.Message{}
	for _, m := range list {
		if !strings.Contains(m.MsgId, "%") {
			out[m.MsgId] = m
		}
	}
	return out
}

func patterns(list []*po.Message) (out []pattern) {
	for _, m := range list {
		for _, format := range []string{m.MsgId, m.MsgIdPlural} {
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
		return m.MsgStr
	}
	return format
}

func (c *catalog) count(n int, one, many string) string {
	m := c.messages[one]
	switch {
	case m != nil:
		return m.MsgStrPlural[c.form(n)]
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
