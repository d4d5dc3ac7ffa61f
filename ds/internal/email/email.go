// Package email is messages and folders as the data objects of OMA DS: application/vnd.omads-email+xml and -folder+xml (protocol.md C.14).
// A message goes through them to the octet.
package email

import (
	"fmt"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/mail"
)

// Content types of the objects and their version.
const (
	TypeEmail  = "application/vnd.omads-email+xml"
	TypeFolder = pim.TypeFolder
	Version    = "1.2"
)

// MaxObject bounds an object (octets): the largest item, with every octet of it as an escape of quoted-printable, and its fields.
const MaxObject = 3*pim.MaxItemSize + 1<<20

// Email is an e-mail object.
type Email struct {
	// Body is the message to the octet. It is nil if the object has none: then it says nothing but flags and dates, and the message
	// that the receiver has stays as it is.
	Body []byte
	// Flags are those that are set, and Said those that the object says anything of, set or not. What it does not mention stays as it is.
	Flags, Said pim.Flags
	// Received, Created and Modified are zero if the object does not say.
	Received, Created, Modified time.Time
	// Partial tells that Body is not the whole message; Size is how many octets that one has, 0 if the object does not say.
	// Bodies that mail.Reduce made say it themselves, whatever this is.
	Partial bool
	Size    int64
}

// mentioned are the flags that have an element of their own. The others travel in an extension.
const mentioned = "FPRST"

// Of is the object of an item, with its body. Folder and Name are not in it: a folder is the parent of an item in hierarchical sync (C.13).
func Of(it pim.Item) Email {
	e := FlagsOf(it)
	e.Body = it.Body
	if e.Body == nil {
		e.Body = []byte{}
	}
	head := mail.ParseHeader(it.Body)
	e.Created, e.Received = head.Date, head.Received
	if m, ok := mail.Partial(it.Body); ok {
		e.Partial, e.Size = true, m.Size
	}
	return e
}

// FlagsOf is the object for a change of flags only.
func FlagsOf(it pim.Item) Email { return Email{Flags: it.Flags, Said: everything} }

// everything are all letters that Flags may have.
const everything pim.Flags = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Apply is flags after the change that the object asks for.
func (e Email) Apply(flags pim.Flags) pim.Flags {
	var out []byte
	for i := range len(everything) {
		c := everything[i]
		if e.Said.Has(c) && e.Flags.Has(c) || !e.Said.Has(c) && flags.Has(c) {
			out = append(out, c)
		}
	}
	return pim.NewFlags(string(out))
}

// Item is the message of an object that has a body, as an item in a folder. If the object is partial, it must not replace a whole one.
func (e Email) Item(folder string) pim.Item {
	return pim.Item{Type: pim.TypeMessage, Folder: folder, Flags: e.Apply(""), Body: e.Body}
}

// elements are the flags by element (FunC EmailData.cpp).
var elements = []struct {
	name   string
	letter byte
}{
	{"read", mail.Seen}, {"forwarded", mail.Forwarded}, {"replied", mail.Answered}, {"deleted", mail.Deleted}, {"flagged", mail.Flagged},
}

// Names of extensions. Those of Funambol tell its clients what is missing of a message: octets of the text, number of attachments, and
// name and size of each (FunC EmailData.cpp). Ours holds the letters of the flags that have no element; other peers ignore it.
const (
	extFlags   = "x-alwayson-flags"
	extSize    = "x-funambol-size"
	extBody    = "x-funambol-body"
	extAttachN = "x-funambol-attach-n"
	extAttach  = "x-funambol-attach"
)

func tooLarge(n int) error {
	return fmt.Errorf("it has %d octets: %w", n, pim.ErrTooLarge)
}
