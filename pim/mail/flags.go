package mail

import (
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
)

// The flags of a message as Maildir letters. The letters a to z are keywords.
const (
	Draft     = 'D'
	Flagged   = 'F'
	Forwarded = 'P' // "passed" in the words of Maildir
	Answered  = 'R'
	Seen      = 'S'
	Deleted   = 'T'
)

// flagNames are the names of flags, the one that FlagNames gives first.
var flagNames = map[byte][]string{
	Draft: {"draft"}, Flagged: {"flagged"}, Forwarded: {"forwarded", "passed"}, Answered: {"answered", "replied"}, Seen: {"seen", "read"},
	Deleted: {"deleted", "trashed"},
}

const keyword = "keyword-"

// FlagNames are the flags of a message by name, in the order of their letters: draft, flagged, forwarded, answered, seen, deleted, and
// keyword-a to keyword-z. Letters that mean nothing to this project are left out.
func FlagNames(f pim.Flags) []string {
	var out []string
	for i := range len(f) {
		switch c := f[i]; {
		case len(flagNames[c]) > 0:
			out = append(out, flagNames[c][0])
		case c >= 'a' && c <= 'z':
			out = append(out, keyword+string(rune(c)))
		}
	}
	return out
}

// FlagOf is the letter of a flag by the name that FlagNames gives, or that IMAP ("\Seen", "$Forwarded") or Maildir ("passed") has, in any case.
func FlagOf(name string) (letter byte, ok bool) {
	name = strings.ToLower(strings.TrimLeft(name, `\$`))
	if k, found := strings.CutPrefix(name, keyword); found {
		return oneLetter(k)
	}
	for letter, names := range flagNames {
		for _, n := range names {
			if n == name {
				return letter, true
			}
		}
	}
	return 0, false
}

func oneLetter(k string) (byte, bool) {
	if len(k) != 1 || k[0] < 'a' || k[0] > 'z' {
		return 0, false
	}
	return k[0], true
}
