package say

import (
	"io/fs"
	"os"
	"strings"
)

// Spoken is what the user has set as his languages, the preferred one first: in the environment as POSIX and gettext have it, or else where the system
// keeps it. A locale without a language is English.
func Spoken() []string {
	locale := posix(os.Getenv)
	switch {
	case locale == "":
		return preferred()
	case isC(locale):
		return []string{"en"}
	}
	return append(strings.FieldsFunc(os.Getenv("LANGUAGE"), func(r rune) bool { return r == ':' }), locale)
}

// posix is the locale of messages, "" if nobody has set one.
func posix(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			return v
		}
	}
	return ""
}

// isC tells whether a locale is that of programs, in which LANGUAGE does not count either.
func isC(locale string) bool {
	name := base(locale)
	return name == "C" || name == "POSIX"
}

// base is a locale without its character set and variant.
func base(locale string) string {
	name, _, _ := strings.Cut(locale, "@")
	name, _, _ = strings.Cut(name, ".")
	return name
}

// choose is the first language that there is, "" for English.
func choose(languages []string) string {
	for _, l := range languages {
		name, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(base(l)), "-", "_"), "_")
		if name == "en" {
			return ""
		}
		if _, err := fs.Stat(catalogs, name+".po"); err == nil {
			return name
		}
	}
	return ""
}
