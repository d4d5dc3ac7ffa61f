package say

import (
	"slices"
	"testing"
)

// TestSpoken is the order in which POSIX and gettext look: LC_ALL before LC_MESSAGES before LANG, and LANGUAGE before all of them unless that is C.
func TestSpoken(t *testing.T) {
	for _, c := range []struct {
		all, messages, lang, language string
		want                          []string
	}{
		{lang: "de_DE.UTF-8", want: []string{"de_DE.UTF-8"}},
		{messages: "de_DE", lang: "en_US", want: []string{"de_DE"}},
		{all: "C", messages: "de_DE", lang: "de_DE", want: []string{"en"}},
		{lang: "C.UTF-8", language: "de", want: []string{"en"}},
		{lang: "POSIX", want: []string{"en"}},
		{lang: "en_GB.UTF-8", language: "fr:de", want: []string{"fr", "de", "en_GB.UTF-8"}},
	} {
		t.Setenv("LC_ALL", c.all)
		t.Setenv("LC_MESSAGES", c.messages)
		t.Setenv("LANG", c.lang)
		t.Setenv("LANGUAGE", c.language)
		if got := Spoken(); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// TestChoose: the first language that there is, of whatever country.
func TestChoose(t *testing.T) {
	for _, c := range []struct {
		languages []string
		german    bool
	}{
		{nil, false}, {[]string{""}, false}, {[]string{"en_US.UTF-8"}, false}, {[]string{"fr_FR"}, false}, {[]string{"dex"}, false}, {[]string{"_DE"}, false},
		{[]string{"de"}, true}, {[]string{"de_AT.UTF-8@euro"}, true}, {[]string{"de-CH"}, true}, {[]string{"DE_de"}, true}, {[]string{"de@euro"}, true},
		{[]string{"fr", "de"}, true}, {[]string{"fr", "en", "de"}, false},
	} {
		if got := In(c.languages...).Language() == "de"; got != c.german {
			t.Errorf("%q: German is %v", c.languages, got)
		}
	}
}

// FuzzLanguage: whatever stands in the environment, somebody is spoken to.
func FuzzLanguage(f *testing.F) {
	for _, s := range []string{"de_AT.UTF-8@euro", "C.UTF-8", "fr:de", "@.", "-", "_", "de_", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, locale string) {
		t.Cleanup(func() { Use() })
		Use(locale)
		if Text("yes") == "" {
			t.Error("nothing is said")
		}
	})
}
