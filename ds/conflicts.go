package ds

import (
	"fmt"
	"strings"
)

// ConflictPolicy is what becomes of an item that was changed on the device and on the server since both agreed. The server carries it out; the
// version that does not live on is kept in the history. An edit wins over a deletion under each of them.
type ConflictPolicy string

// The policies.
const (
	ConflictsMerge    ConflictPolicy = "merge"     // put together property by property, or both are kept if they contradict each other
	ConflictsKeepBoth ConflictPolicy = "keep-both" // both are kept, always
	ConflictsServer   ConflictPolicy = "server"    // the server's version lives on
	ConflictsDevice   ConflictPolicy = "device"    // the device's version lives on
)

// ParseConflictPolicy reads a policy; "" is ConflictsMerge.
func ParseConflictPolicy(s string) (ConflictPolicy, error) {
	policies := []string{string(ConflictsMerge), string(ConflictsKeepBoth), string(ConflictsServer), string(ConflictsDevice)}
	if s == "" {
		return ConflictsMerge, nil
	}
	for _, p := range policies {
		if s == p {
			return ConflictPolicy(s), nil
		}
	}
	return ConflictsMerge, fmt.Errorf("%q is none of %s", s, strings.Join(policies, ", "))
}
