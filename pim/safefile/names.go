package safefile

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
)

// MaxName bounds a name: file systems take 255 octets, and temporary names, flags and suffixes want some.
const MaxName = 180

// Folder makes a folder path of one that came over the wire: it keeps the parts that can be names on every system, and replaces what
// cannot stand in one. A part that is one of reserved gets another name.
func Folder(path string, reserved ...string) string {
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		part = strings.Trim(strings.Map(plain, part), ". ")
		if slices.Contains(reserved, part) {
			part += "_"
		}
		if part != "" && len(part) <= MaxName {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "/")
}

func plain(r rune) rune {
	if r < 0x20 || strings.ContainsRune(`\:*?"<>|`, r) {
		return '_'
	}
	return r
}

// Random is a name that nobody else has: 24 hexadecimal digits.
func Random() string {
	var b [12]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	return hex.EncodeToString(b[:])
}
