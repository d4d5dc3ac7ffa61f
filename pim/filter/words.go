package filter

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
)

// The readers of values, by field. They return the value in its canonical form, or what is wrong with it.

func readWords(word string) (value, string) {
	fields := strings.Join(strings.Fields(word), " ")
	return value{text: fields, fold: fold(word)}, ""
}

func readExact(word string) (value, string) { return value{text: word, fold: fold(word)}, "" }

func readSince(word string) (value, string) { return readTime(word, false) }

// readDue reads the last second at which a task may be due. A day is meant whole.
func readDue(word string) (value, string) {
	v, problem := readTime(word, true)
	if problem != "" || v.rolls {
		return v, problem
	}
	if len(word) <= len(time.DateOnly) {
		v.n += day - 1
	}
	at := time.Unix(v.n, 0).UTC()
	if v.text = at.Format(time.RFC3339); (v.n+1)%day == 0 {
		v.text = at.Format(time.DateOnly)
	}
	return v, ""
}

func readBytes(word string) (value, string) {
	n, problem := readSize(word)
	return value{text: printSize(n), n: n}, problem
}

func readStatus(word string) (value, string) {
	switch w := strings.ToLower(word); w {
	case "open", "done":
		return value{text: w}, ""
	}
	return value{}, fmt.Sprintf("%q is no status; write status:open or status:done", word)
}

func readHas(word string) (value, string) {
	switch strings.ToLower(word) {
	case "attachment", "attachments":
		return value{text: "attachment"}, ""
	}
	return value{}, fmt.Sprintf("%q is nothing a message can have; write has:attachment", word)
}

// flagNames are the names of Maildir's letters, the canonical one first.
var flagNames = []struct {
	letter byte
	names  []string
}{
	{'S', []string{"seen", "read"}}, {'R', []string{"answered", "replied"}}, {'F', []string{"flagged", "starred", "important"}},
	{'D', []string{"draft"}}, {'P', []string{"forwarded", "passed"}}, {'T', []string{"trashed", "deleted"}},
}

func readFlag(word string) (value, string) {
	lower := strings.ToLower(word)
	for _, f := range flagNames {
		if slices.Contains(f.names, lower) || word == string(f.letter) {
			return value{text: f.names[0], n: int64(f.letter)}, ""
		}
	}
	if len(word) == 1 && word[0] >= 'a' && word[0] <= 'z' {
		return value{text: word, n: int64(word[0])}, ""
	}
	hint := ""
	if lower == "unread" || lower == "unseen" || lower == "new" {
		hint = "; unread messages are -flag:seen"
	}
	return value{}, fmt.Sprintf("%q is no flag; there are seen, answered, flagged, draft, forwarded, trashed and the letters a to z of keywords%s", word, hint)
}

// readFolder takes a path without the slashes at its ends. "/" is the top of the store.
func readFolder(word string) (value, string) {
	path := strings.Trim(word, "/")
	if path == "" && word != "" {
		path = "/"
	}
	return value{text: path, fold: fold(path)}, ""
}

// operators of property terms, longer ones first.
var operators = []string{"==", "~~", "<=", ">=", "=", "~", "<", ">"}

func isOperator(r rune) bool { return strings.ContainsRune("=~<>", r) }

// property takes NAME and operator off the first value of a property term.
func (t *term) property(word string) (rest, problem string) {
	i := strings.IndexFunc(word, isOperator)
	if i <= 0 || strings.ContainsFunc(word[:max(i, 0)], func(r rune) bool { return !inName(r) }) {
		return "", "it must be a property's name and its value, as in property:TITLE=director"
	}
	t.prop, rest = strings.ToUpper(word[:i]), word[i:]
	for _, op := range operators {
		if value, ok := strings.CutPrefix(rest, op); ok {
			if t.op = op; value == "" && op == "==" {
				t.op = "="
			}
			return value, ""
		}
	}
	return "", ""
}

// inName tells whether a letter may stand in the name of a property.
func inName(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.'
}

// within tells whether a path is a folder or lies in it; both are folded.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// top is how the top of a store is called besides "/".
func top(kind pim.Kind) string {
	if kind == pim.Mail {
		return "inbox"
	}
	return "/"
}
