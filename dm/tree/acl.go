package tree

import (
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/ds"
)

// ACL says which servers may give which commands to a node and to what is below it, as far as nodes there have none of their own
// (protocol.md H.4). The zero ACL says nothing: the parent's holds.
type ACL struct {
	servers [len(dm.Commands)][]string // by the place of the command; everybody is "*" alone
}

// rootACL holds where nobody has said anything.
var rootACL = must(ParseACL("Add=*&Get=*"))

func must(a ACL, err error) ACL {
	if err != nil {
		panic(err)
	}
	return a
}

// maxACL is how long an ACL may be, in octets: there are a handful of servers.
const maxACL = 4096

// ParseACL reads an ACL, e.g. "Get=*&Replace=srv1+srv2": 400 if it is none.
func ParseACL(text string) (ACL, error) {
	var a ACL
	if len(text) > maxACL {
		return a, dm.Refuse(ds.StatusTooLarge, "an ACL of %d octets is longer than %d", len(text), maxACL)
	}
	if text == "" {
		return a, nil
	}
	for entry := range strings.SplitSeq(text, "&") {
		if err := a.parse(entry); err != nil {
			return ACL{}, err
		}
	}
	return a, nil
}

func (a *ACL) parse(entry string) error {
	name, ids, _ := strings.Cut(entry, "=")
	i := slices.Index(dm.Commands[:], name)
	if i < 0 || 1<<i == dm.Copy {
		return dm.Refuse(ds.StatusBadRequest, "%.40q is no command of an ACL", name)
	}
	if a.servers[i] != nil {
		return dm.Refuse(ds.StatusBadRequest, "an ACL has two entries for %s", name)
	}
	servers := strings.Split(ids, "+")
	for _, id := range servers {
		if id != "*" && !validServer(id) {
			return dm.Refuse(ds.StatusBadRequest, "%.40q in an ACL is no server id", id)
		}
	}
	a.grant(i, servers)
	return nil
}

// validServer tells whether an id can stand in an ACL.
func validServer(id string) bool { return id != "" && !strings.ContainsAny(id, "=&*+ \t\r\n") }

func (a *ACL) grant(i int, servers []string) {
	if slices.Contains(servers, "*") {
		servers = []string{"*"}
	}
	slices.Sort(servers)
	a.servers[i] = slices.Compact(servers)
}

// ownerACL is what the creator of an interior node gets where it could not replace what it made otherwise.
func ownerACL(server string) (a ACL) {
	if validServer(server) {
		for i := range dm.Commands {
			if (dm.Add | dm.Delete | dm.Replace).Has(1 << i) {
				a.grant(i, []string{server})
			}
		}
	}
	return a
}

// IsZero tells whether a says nothing.
func (a ACL) IsZero() bool {
	return !slices.ContainsFunc(a.servers[:], func(s []string) bool { return s != nil })
}

// Allows tells whether a server may give a command.
func (a ACL) Allows(command dm.Access, server string) bool {
	for i, servers := range a.servers {
		if command.Has(1<<i) && (slices.Contains(servers, "*") || slices.Contains(servers, server)) {
			return true
		}
	}
	return false
}

// Without is a when a server is gone. Commands that nobody may give any more are dropped.
func (a ACL) Without(server string) ACL {
	for i, servers := range a.servers {
		rest := slices.DeleteFunc(slices.Clone(servers), func(id string) bool { return id == server })
		if a.servers[i] = rest; len(rest) == 0 {
			a.servers[i] = nil
		}
	}
	return a
}

// String is the ACL as it is written, "" for the zero one.
func (a ACL) String() string {
	var entries []string
	for i, servers := range a.servers {
		if servers != nil {
			entries = append(entries, dm.Commands[i]+"="+strings.Join(servers, "+"))
		}
	}
	return strings.Join(entries, "&")
}

// orEverybody is a with the commands that were granted before and are no more granted to everybody.
func (a ACL) orEverybody(before *ACL) ACL {
	for i := range a.servers {
		if a.servers[i] == nil && before.servers[i] != nil {
			a.servers[i] = []string{"*"}
		}
	}
	return a
}
