package link

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Networks are those over which data may leave; none of them is all.
type Networks []string

// ParseNetworks reads words: the name of an interface, in which * and ? stand for others ("eth*"), or wifi or mobile for every interface of that kind. One
// with ! before it is not allowed, whatever else it matches; if there is nothing else, all others are.
func ParseNetworks(text string) (Networks, error) {
	words := strings.Fields(text)
	for _, word := range words {
		pattern := strings.TrimPrefix(word, "!")
		if _, err := path.Match(pattern, "eth0"); err != nil || pattern == "" {
			return nil, fmt.Errorf("%q is no name of an interface like eth0, wlan* or !wwan*, and neither wifi nor mobile", word)
		}
	}
	return words, nil
}

// Allow tells whether data may leave over an interface.
func (n Networks) Allow(i Interface) bool {
	allowed := !slices.ContainsFunc(n, func(word string) bool { return !strings.HasPrefix(word, "!") })
	for _, word := range n {
		pattern, not := strings.CutPrefix(word, "!")
		is, _ := path.Match(pattern, i.Name)
		if !is && (i.Kind == "" || pattern != string(i.Kind)) {
			continue
		}
		if not {
			return false
		}
		allowed = true
	}
	return allowed
}
