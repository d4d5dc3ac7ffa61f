package dm

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alwayson-sync/alwayson/ds"
)

// Bounds of addresses, which DevDetail tells to servers (protocol.md H.6). Names and addresses longer than that exist in no tree known here;
// 32 levels are what the codecs take.
const (
	MaxDepth  = 32   // segments below the root
	MaxTotLen = 1024 // octets of an address as it is written
	MaxSegLen = 255  // octets of a name
)

// Path are the names on the way from the root to a node; the root's is empty.
type Path []string

// URI is the address in a command: a node, one of its properties, or a form of its sub-tree (protocol.md H.4).
type URI struct {
	Path Path
	Prop string // of ?prop=
	List string // of ?list=, e.g. "TNDS+ACL"
}

// ParseURI reads an address: 414 for one that is longer or deeper than the bounds, 406 for a query that nobody knows, 400 for anything
// malformed.
func ParseURI(text string) (URI, error) {
	if len(text) > MaxTotLen {
		return URI{}, Refuse(ds.StatusURITooLong, "an address of %d octets is longer than %d", len(text), MaxTotLen)
	}
	address, query, asked := strings.Cut(text, "?")
	path, err := parsePath(address)
	u := URI{Path: path}
	if err == nil && asked {
		err = u.query(query)
	}
	return u, err
}

// ParsePath reads the address of a node.
func ParsePath(text string) (Path, error) {
	u, err := ParseURI(text)
	if err == nil && (u.Prop != "" || u.List != "") {
		err = Refuse(ds.StatusBadRequest, "%q is not the address of a node", text)
	}
	return u.Path, err
}

func (u *URI) query(query string) error {
	key, value, _ := strings.Cut(query, "=")
	switch {
	case value == "":
	case key == "prop":
		u.Prop = value
		return nil
	case key == "list":
		u.List = value
		return nil
	}
	return Refuse(ds.StatusUnsupported, "the query %.40q of an address is not supported", query)
}

func parsePath(text string) (Path, error) {
	if text == "." {
		return nil, nil
	}
	segments := strings.Split(strings.TrimPrefix(text, "./"), "/")
	if len(segments) > MaxDepth {
		return nil, Refuse(ds.StatusURITooLong, "%.60q is deeper than %d levels", text, MaxDepth)
	}
	for i, s := range segments {
		name, err := url.PathUnescape(s)
		if err != nil {
			return nil, Refuse(ds.StatusBadRequest, "%.60q is no address: %v", text, err)
		}
		if err := CheckName(name); err != nil {
			return nil, fmt.Errorf("%.60q is no address: %w", text, err)
		}
		segments[i] = name
	}
	return segments, nil
}

// CheckName refuses what cannot be the name of a node.
func CheckName(name string) error {
	switch {
	case len(name) > MaxSegLen:
		return Refuse(ds.StatusURITooLong, "a name of %d octets is longer than %d", len(name), MaxSegLen)
	case name == "":
		return Refuse(ds.StatusBadRequest, "a name is empty")
	case name == ".", name == "..":
		return Refuse(ds.StatusBadRequest, "%q is no name", name)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return Refuse(ds.StatusBadRequest, "the name %.40q has characters that no name may have", name)
	}
	return nil
}

// escape is for what has a meaning in addresses, and for what white space around an address would lose.
var escape = strings.NewReplacer("%", "%25", "/", "%2F", "?", "%3F", "#", "%23", " ", "%20", "&", "%26", "=", "%3D", "+", "%2B")

// EscapeName writes a name as a segment of an address.
func EscapeName(name string) string { return escape.Replace(name) }

// String is the address, e.g. "./DevInfo/DevId".
func (p Path) String() string {
	var b strings.Builder
	b.WriteByte('.')
	for _, name := range p {
		b.WriteByte('/')
		b.WriteString(EscapeName(name))
	}
	return b.String()
}

// String is the address with its query.
func (u URI) String() string {
	switch {
	case u.Prop != "":
		return u.Path.String() + "?prop=" + u.Prop
	case u.List != "":
		return u.Path.String() + "?list=" + u.List
	}
	return u.Path.String()
}

// Parent is the path of the node above; the root has none and gives itself.
func (p Path) Parent() Path {
	if len(p) == 0 {
		return p
	}
	return p[:len(p)-1]
}

// Name is the last name, "." of the root.
func (p Path) Name() string {
	if len(p) == 0 {
		return "."
	}
	return p[len(p)-1]
}

// Child is the path of a node below p, with memory of its own.
func (p Path) Child(names ...string) Path { return slices.Concat(p, names) }

// Below tells whether p is at or below q, and by which path.
func (p Path) Below(q Path) (rest Path, ok bool) {
	if len(p) < len(q) || !slices.Equal(p[:len(q)], q) {
		return nil, false
	}
	return p[len(q):], true
}
