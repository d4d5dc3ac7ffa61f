// Package pim names what is synchronized: items of contacts, calendars, tasks, notes and mail, the stores that keep
// them on a device, and what a store promises. It knows no protocol and imports the standard library only.
package pim

import (
	"context"
	"errors"
	"io/fs"
	"sort"
	"strings"
	"time"
)

// Kind is the sort of content of one store. It decides the content type of its items and how they are matched.
type Kind string

// The kinds of a store (G4).
const (
	Contacts Kind = "contacts"
	Calendar Kind = "calendar"
	Tasks    Kind = "tasks"
	Notes    Kind = "notes"
	Mail     Kind = "mail"
)

// Content types of items as they are named on the wire (protocol.md C.14).
const (
	TypeVCard     = "text/vcard"
	TypeICalendar = "text/calendar"
	TypePlain     = "text/plain"
	TypeMessage   = "message/rfc822"
	// TypeFolder is a folder that holds other items. Its path is in Item.Folder and its body is empty.
	TypeFolder = "application/vnd.omads-folder+xml"
)

// ContentType is the type of the items of kind k.
func (k Kind) ContentType() string {
	switch k {
	case Contacts:
		return TypeVCard
	case Calendar, Tasks:
		return TypeICalendar
	case Mail:
		return TypeMessage
	default:
		return TypePlain
	}
}

// MaxItemSize bounds one item (design.md §10): larger files are reported by name and not synchronized.
const MaxItemSize = 64 << 20

// Item is one contact, event, task, note or message, or a folder of them, as it travels between devices.
// Body is the exact bytes of the file: nothing in this project rewrites the bytes of an item that nobody edited.
type Item struct {
	Type string // content type
	// Folder is the slash-separated path of the folder the item lies in, "" for the root of the store.
	// For an item of TypeFolder it is the path of the folder itself, never "".
	Folder string
	Name   string // file name its writer used; only a hint for readers, may be empty
	Flags  Flags
	Body   []byte
}

// Flags are the marks of a message as sorted, unique Maildir letters (D draft, F flagged, P passed, R replied,
// S seen, T trashed, a-z keywords). Other kinds have none.
type Flags string

// NewFlags sorts letters and drops doubles and everything that is no ASCII letter.
func NewFlags(letters string) Flags {
	b := []byte(letters)
	sort.Slice(b, func(i, j int) bool { return b[i] < b[j] })
	out := b[:0]
	for _, c := range b {
		letter := c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if letter && (len(out) == 0 || out[len(out)-1] != c) {
			out = append(out, c)
		}
	}
	return Flags(out)
}

// Has tells whether letter is set.
func (f Flags) Has(letter byte) bool { return strings.IndexByte(string(f), letter) >= 0 }

// Stamp is what the file system says of an item's bytes without reading them. Equal stamps mean that the bytes
// are taken as unchanged; different ones mean only that they must be read and hashed.
type Stamp struct {
	Size    int64
	ModTime int64 // nanoseconds since 1970
	Inode   uint64
}

// StampOf is the stamp of a file; the inode is filled in where the system has one.
func StampOf(fi fs.FileInfo) Stamp {
	return Stamp{Size: fi.Size(), ModTime: fi.ModTime().UnixNano(), Inode: inode(fi)}
}

// Entry is one item of a store as a listing shows it.
type Entry struct {
	// Key addresses the item in its store: a slash-separated relative path for a vdir, folder and unique name without
	// flags for a Maildir. It stays the same when flags change and it changes when the item is renamed or moved.
	Key    string
	Type   string
	Folder string
	Flags  Flags
	Stamp  Stamp
}

// FolderEntry is how every store lists a folder; FolderItem is how it reads one.
func FolderEntry(folder string) Entry {
	return Entry{Key: folder + "/", Type: TypeFolder, Folder: folder}
}

// FolderItem is described at FolderEntry.
func FolderItem(folder string) Item { return Item{Type: TypeFolder, Folder: folder, Body: []byte{}} }

// Errors of stores. Callers inspect them with errors.Is.
var (
	// ErrNotFound: no item has this key (any more).
	ErrNotFound = errors.New("no such item")
	// ErrChanged: the item is not as the caller last saw it, so nothing was written.
	ErrChanged = errors.New("the item was changed by somebody else meanwhile")
	// ErrExists: the planned key is taken by another item.
	ErrExists = errors.New("an item with this key exists already")
	// ErrUnavailable: the store as a whole cannot be read: missing folder, lost mount, I/O error. It never means
	// that items were deleted (pains.md 7).
	ErrUnavailable = errors.New("the store is not available")
	// ErrTooLarge: the item is larger than MaxItemSize.
	ErrTooLarge = errors.New("the item is larger than 64 MiB")
)

// ItemError is a problem of one item that leaves the others alone, by key, e.g. a file without read permission.
type ItemError struct {
	Key string
	Err error
}

func (e *ItemError) Error() string { return e.Key + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *ItemError) Unwrap() error { return e.Err }

// Store is a place on this device that keeps items of one kind, used by people and other programs at the same time.
// Its methods may be called from one goroutine at a time. Every error that is no *ItemError and none of ErrNotFound,
// ErrChanged and ErrExists concerns the whole store and says nothing about its items.
type Store interface {
	Kind() Kind

	// Scan calls yield for each item and each folder that is present, folders before what lies in them, without
	// reading bodies. A problem of one item is yielded as (Entry{Key}, *ItemError) and the scan goes on. If Scan
	// returns an error, the listing is incomplete and must not be read as deletions. An error of yield ends the scan
	// and is returned as it is. The entries belong to the caller.
	Scan(ctx context.Context, yield func(Entry, error) error) error

	// Stat lists single keys, in any order and without doubles; keys that are not present are left out. It is the
	// cheap way to look at what the watcher named.
	Stat(ctx context.Context, keys []string) ([]Entry, error)

	// Read returns an item whole with the entry it was read at. ErrNotFound, *ItemError, or a store error.
	Read(ctx context.Context, key string) (Item, Entry, error)

	// PlanKey chooses a free key for a new item, from item.Name if that can be used, else from a random name. Names from the
	// wire never become paths: everything but a safe file name is replaced. Nothing is written.
	PlanKey(item Item) (string, error)

	// Update opens a batch of writes. There is one batch at a time.
	Update(ctx context.Context) (Batch, error)
}

// Reader reads many items of a store in a row, see Store.Read. It reads from the folder that was there when it was opened, so it is for one walk.
type Reader interface {
	Read(ctx context.Context, key string) (Item, Entry, error)
	Close() error
}

// Opener is implemented by stores that read for less when they need not be opened for each item.
type Opener interface {
	OpenReader() (Reader, error)
}

// Batch is a group of writes that becomes durable together. Single writes are atomic: after a crash an item is as
// before or as after, never half. Writes show in the store at once (other programs see them); they are durable when
// Commit has returned nil. A failed write leaves the others of the batch alone.
type Batch interface {
	// Add writes a new item at key, which PlanKey has made. ErrExists if it is taken. Missing folders are made.
	Add(key string, item Item) (Entry, error)
	// Replace writes item.Body, item.Folder and item.Flags over the item at key if its stamp is still expect,
	// ErrChanged or ErrNotFound otherwise. The entry returned may have another key (moved to another folder).
	Replace(key string, expect Stamp, item Item) (Entry, error)
	// Reflag changes flags and folder but not the bytes. ErrNotFound if the item is gone.
	Reflag(key string, flags Flags, folder string) (Entry, error)
	// Delete removes the item if its stamp is still expect, ErrChanged or ErrNotFound otherwise.
	// A folder is removed only when it is empty; ErrChanged otherwise.
	Delete(key string, expect Stamp) error
	// Touched makes Commit cover what was done at key before the batch, perhaps by another process: a deletion, too.
	Touched(key string)
	// Commit makes all writes of the batch durable (one syncfs, or fsync of files and folders elsewhere).
	Commit() error
}

// Hint says that items of a store may have changed. It is never the truth: the reader looks at the store.
type Hint struct {
	// Keys are the items that were touched, if the watcher knows them. Nil means: anything, scan the store.
	Keys []string
	// At is when the first of the changes was noticed.
	At time.Time
}

// Watcher is implemented by stores that notice changes by other programs. Watch calls hint (which must not block) until ctx ends.
type Watcher interface {
	Watch(ctx context.Context, hint func(Hint)) error
}
