package email

import (
	"encoding/xml"
	"fmt"
	"path"
	"strings"
	"time"
	"unicode"

	"github.com/alwayson-sync/alwayson/pim"
)

// Role is what a folder is for. Peers know the five below; others are kept as they are.
type Role string

// The roles (protocol.md C.14).
const (
	Inbox  Role = "inbox"
	Outbox Role = "outbox"
	Sent   Role = "sent"
	Draft  Role = "draft"
	Trash  Role = "trash"
)

// Folder is a folder object.
type Folder struct {
	Name              string // one element of a path
	Role              Role   // "" for a folder of the user
	Created, Modified time.Time
}

// FolderOf is the object of a folder item: its own name, without the folders it lies in.
func FolderOf(it pim.Item) Folder {
	name := path.Base(it.Folder)
	return Folder{Name: name, Role: RoleOf(it.Folder)}
}

// roles are names that mail programs give to folders.
var roles = map[string]Role{
	"inbox": Inbox, "outbox": Outbox, "sent": Sent, "sent items": Sent, "sent messages": Sent, "sent mail": Sent, "draft": Draft, "drafts": Draft,
	"trash": Trash, "deleted items": Trash, "deleted messages": Trash,
}

// RoleOf guesses the role of a folder by its path. The root of a mail store is the inbox; only folders in the root have other roles.
func RoleOf(folder string) Role {
	if folder == "" {
		return Inbox
	}
	if strings.Contains(folder, "/") {
		return ""
	}
	return roles[strings.ToLower(folder)]
}

// EncodeFolder writes a folder object.
func EncodeFolder(f Folder) []byte {
	var w writer
	w.WriteString("<Folder>")
	w.element("name", f.Name)
	w.date("created", f.Created)
	w.date("modified", f.Modified)
	if f.Role != "" {
		w.element("role", string(f.Role))
	}
	w.WriteString("</Folder>")
	return w.Bytes()
}

// DecodeFolder reads a folder object. Errors name the offset. The name is fit to be one element of a path: a slash in it becomes "_".
func DecodeFolder(in []byte) (Folder, error) {
	var f Folder
	err := decode(in, "Folder", f.child)
	if err == nil {
		f.Name, err = cleanName(f.Name)
	}
	if err != nil {
		return Folder{}, fmt.Errorf("cannot decode folder object: %w", err)
	}
	return f, nil
}

func (f *Folder) child(r *reader, s xml.StartElement) error {
	switch strings.ToLower(s.Name.Local) {
	case "name":
		return r.value(&f.Name)
	case "role":
		var v string
		err := r.value(&v)
		f.Role = Role(strings.ToLower(v))
		return err
	case "created":
		return r.date(&f.Created)
	case "modified":
		return r.date(&f.Modified)
	}
	return r.skip()
}

// maxFolderName bounds a name (octets) as file systems do.
const maxFolderName = 255

func cleanName(name string) (string, error) {
	clean := strings.Map(func(c rune) rune {
		if c == '/' || unicode.IsControl(c) || c == unicode.ReplacementChar {
			return '_'
		}
		return c
	}, name)
	if clean == "" || clean == "." || clean == ".." || len(clean) > maxFolderName {
		return "", fmt.Errorf("%.40q is no name of a folder", name)
	}
	return clean, nil
}
