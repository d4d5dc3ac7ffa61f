package sif

import "strings"

// modernNote is the text of a note. Outlook makes the subject of the first line; others may have one of their own.
func modernNote(s *source) []byte {
	subject, body := strings.TrimSpace(s.text("Subject")), s.root.get("Body")
	switch {
	case subject == "" || strings.HasPrefix(strings.TrimSpace(body), subject):
		return []byte(body)
	case body == "":
		return []byte(subject)
	}
	return []byte(subject + "\n" + body)
}

// oldNote is a text as a note. What else Outlook knows of one, e.g. its colour, the client leaves alone if nobody names it.
func oldNote(body []byte) *node {
	out := &node{name: "note"}
	s := readable(body)
	first, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	out.put("SIFVersion", "1.0")
	out.put("Subject", strings.TrimSpace(first))
	out.subs = append(out.subs, node{name: "Body", text: newlines.Replace(s)}) // to the last blank
	return out
}
