// Package dsstore is what a Data Sync Server remembers: accounts, devices, logical sessions, items, and which version
// of which item each device holds. It holds interfaces and types; the back ends are in its sub-packages.
package dsstore

import (
	"context"
	"errors"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/pim"
)

// ErrNotFound is returned by every look-up that finds nothing.
var ErrNotFound = errors.New("not found")

// Store keeps everything in transactions. It may be used from many goroutines.
type Store interface {
	// Update runs fn in a transaction that can write, one at a time. What fn did is durable when Update returns nil and
	// undone when fn or Update returns an error.
	Update(ctx context.Context, fn func(Tx) error) error
	// View runs fn in a transaction that can only read.
	View(ctx context.Context, fn func(Tx) error) error
	Close() error
}

// Tx is one transaction. It must not be used after the function it was given to has returned.
type Tx interface {
	Accounts
	Sessions
	Items
	Maps
	Filters
	Columns
	Safety
	Journal
	Settings
	Groups
}

// User is an account.
type User struct {
	Name     string
	Password string // argon2id hash of the account password, "" if only devices sign in
	Admin    bool
}

// Device is one enrolled device. Credential is B64(H(user:secret)), what syncml:auth-md5 needs, for a secret that was
// made at random for this device; it is no derivative of the account password (design.md §8).
type Device struct {
	ID          string
	User        string
	Credential  string
	Former      string    // the credential before the last change: who still has it is told "aged", not "invalid" (A3)
	ChangedAt   time.Time // of Credential
	Nonce       string    // issued for the next exchange, base64
	FormerNonce string    // the one before, still good while its successor may be lost on the way
	DevInf      []byte    // as the device sent it last, an encoded document
	Seen        time.Time // last authenticated message
}

// Accounts keeps users and devices.
type Accounts interface {
	User(name string) (User, error)
	Users() ([]User, error)
	PutUser(User) error
	Device(id string) (Device, error)
	// Devices lists all devices of a user, or of everybody if user is "".
	Devices(user string) ([]Device, error)
	PutDevice(Device) error
	// DeleteDevice forgets a device with its maps, links and events. Its sessions stay in the list.
	DeleteDevice(id string) error
}

// Session is a logical session (design.md §4).
type Session struct {
	ID      string
	Device  string
	Opened  time.Time
	Renewed time.Time
	Lease   time.Duration
	Ending  ds.Ending // "" while it is open
	Ended   time.Time
	Reason  string
}

// Open tells whether s is open at now: it has not ended and its lease runs.
func (s Session) Open(now time.Time) bool {
	return s.Ending == "" && now.Before(s.Renewed.Add(s.Lease))
}

// Sessions keeps logical sessions, also those that ended.
type Sessions interface {
	Session(id string) (Session, error)
	// Sessions lists those of a device, or of all if device is "", newest first.
	Sessions(device string) ([]Session, error)
	PutSession(Session) error
}

// Collection addresses the items of one datastore of one user.
type Collection struct{ User, Store string }

// Item is one item without its body. Rev counts the changes of its collection: a larger one is newer.
type Item struct {
	GUID     string
	Rev      int64
	Deleted  bool // a tombstone
	Type     string
	Folder   string
	Name     string
	Flags    pim.Flags
	Hash     [32]byte // SHA-256 of the body
	Size     int64
	UID      string    // identity in its content, for matching; "" if it has none
	Alike    string    // what copies have in common that lost it, see match.Identity
	Modified time.Time // when the server took the change
	By       string    // device that wrote it, "" for the server itself
}

// Items keeps items and bodies. A body is stored once per hash.
type Items interface {
	// PutItem stores it under a fresh Rev of its collection, which it returns. A body the store has already may be nil.
	PutItem(c Collection, it Item, body []byte) (int64, error)
	Item(c Collection, guid string) (Item, error)
	Body(hash [32]byte) ([]byte, error)
	// Same lists live items of the same type with this UID, or with this hash if uid is "".
	Same(c Collection, typ, uid string, hash [32]byte) ([]Item, error)
	// Alike lists live items of the same type that are alike.
	Alike(c Collection, typ, alike string) ([]Item, error)
	// Akin tells quickly whether Same or Alike may list something, for an item of any type. In a first sync nearly all are new.
	Akin(c Collection, uid string, hash [32]byte, alike string) (bool, error)
	// List lists live items by Rev.
	List(c Collection) ([]Item, error)
	// Rev is the newest revision of the collection, 0 if it is empty.
	Rev(c Collection) (int64, error)
	// Revs are the newest revisions of all collections: what another process has written shows there.
	Revs() (map[Collection]int64, error)
	// Keep notes a version that does not live on, with the reason: one that is overwritten or deleted, or one that lost
	// against the server's. A body the store has already may be nil.
	Keep(c Collection, former Item, body []byte, reason string) error
}

// Mapping says which version of an item a device holds.
type Mapping struct {
	GUID string
	LUID string   // "" if the device refused or deleted the item
	Rev  int64    // the revision it holds or refused; 0 if that is unknown
	Hash [32]byte // of the body in that revision; zero if that is unknown
	// Variant says what part of the body the device got, "" if all of it.
	Variant string
	// Base is what the device made its version from, as it says, if that version was never ours and lives on beside the item. Without a LUID it is
	// the one that the item had when the device deleted it. Else it is "".
	Base string
}

// Holding is a live item that a device has, as it is on the server.
type Holding struct {
	LUID    string
	Hash    [32]byte
	Flags   pim.Flags
	Variant string // see Mapping
}

// Link is what server and device remember of each other for one collection: anchors, see ds.Anchors, and how far the
// device is known to be. Both anchors the client presented last are good (design.md §4).
type Link struct {
	ClientLast, ClientNext string
	ServerLast, ServerNext string
	// Running is the sync type of an exchange that is not complete, 0 if all are. It can be resumed (225).
	Running ds.Alert
	// Scope is the filter under which the device got what it has, "" for none, and Roll the time at which time alone changes what that is;
	// zero for never.
	Scope string
	Roll  time.Time
	// Done is the revision up to which the device has everything except what Pending still lists.
	Done int64
}

// Known tells whether the device has ever begun to synchronize the collection.
func (l Link) Known() bool { return l.ClientNext != "" || l.ClientLast != "" }

// Pending is an item that a device does not have in its newest version.
type Pending struct {
	Item    Item
	Mapping Mapping // zero if the device never had the item
	Known   bool    // there is a mapping
	Facts   []byte  // see Filters; nil if none were noted
}

// Filter says what a device wants of a collection, in the language of package filter.
type Filter struct {
	Text string
	By   string    // who set it: a device, or a user or administrator with "@" before
	At   time.Time // when
	// Travel is what is wanted besides until Until, e.g. for a flight (M9).
	Travel string
	Until  time.Time
}

// Noted is an item with what filters look at of it, without the rest.
type Noted struct {
	GUID    string
	Rev     int64
	Deleted bool
	Type    string
	Facts   []byte // nil if none were noted; good until the function it was given to returns
}

// Filters keeps filters, and what they look at of an item, so that bodies need not be read.
type Filters interface {
	Filter(device string, c Collection) (Filter, error) // the zero Filter if there is none
	PutFilter(device string, c Collection, f Filter) error
	// Filtered lists devices whose filter was set after a time, by whatever process, and the latest time of those.
	Filtered(after time.Time) (devices []string, last time.Time, err error)
	// Rolled lists devices for which time has changed what they shall have, see Link.Roll.
	Rolled(now time.Time) ([]string, error)
	// PutFacts notes what filters look at. PutItem forgets it.
	PutFacts(c Collection, guid string, facts []byte) error
	// EachNoted calls fn, by Rev, for at most limit items with Rev > after, also for deleted ones.
	EachNoted(c Collection, after int64, limit int, fn func(Noted)) error
	// Scope lists, by Rev, at most limit items with Rev > after that may be part of what the device has: live ones, with their mapping, and
	// deleted ones that it holds.
	Scope(device string, c Collection, after int64, limit int) ([]Pending, error)
}

// Block is a run of a collection in columns: of the items that were live and no folders when it was made, those with After < Rev ≤ Upto, by Rev. It
// never changes. Whatever changed since has another Rev, behind it.
type Block struct {
	After, Upto int64
	Items       int
	Form        int // of the columns; one of another form is to be made anew
}

// Columns keeps what filters look at of many items together, so that a change of filters over a fleet is judged quickly (F8). It can always be
// made anew from the items.
type Columns interface {
	// Blocks lists those of a collection by Upto.
	Blocks(c Collection) ([]Block, error)
	// Column is the octets of one of the block that ends at upto, ErrNotFound if that has none of this name.
	Column(c Collection, upto int64, name string) (string, error)
	// PutBlock stores a block instead of those that lie in it, and of those of another form that end in it. If it lies in one itself, as another
	// server may have made it, nothing is done.
	PutBlock(c Collection, b Block, columns map[string]string) error
	// Behind lists collections with at least so many revisions behind their last block of a form, with their newest revision.
	Behind(form int, revs int64) (map[Collection]int64, error)
}

// Maps keeps mappings and links.
type Maps interface {
	Link(device string, c Collection) (Link, error) // the zero Link if there is none
	PutLink(device string, c Collection, l Link) error
	ByLUID(device string, c Collection, luid string) (Mapping, error)
	ByGUID(device string, c Collection, guid string) (Mapping, error)
	// PutMapping replaces what was known for the GUID and for the LUID.
	PutMapping(device string, c Collection, m Mapping) error
	DeleteMapping(device string, c Collection, guid string) error
	ClearMappings(device string, c Collection) error
	// Forget prepares a slow sync: the mappings count no more, but Former finds them until ForgetFormer. PutMapping makes one anew.
	Forget(device string, c Collection) error
	Former(device string, c Collection, luid string) (Mapping, error)
	ForgetFormer(device string, c Collection) error
	// Holdings lists what the device is believed to have, in no order.
	Holdings(device string, c Collection) ([]Holding, error)
	// Pending lists, by Rev, at most limit items with Rev > after that the device has not got: live ones without mapping,
	// and changed or deleted ones whose mapping is older.
	Pending(device string, c Collection, after int64, limit int) ([]Pending, error)
	// CountPending counts what Pending would list without limit.
	CountPending(device string, c Collection, after int64) (int, error)
}

// Deletion is an item that a device has deleted, as long as that is not carried out: its changes have not all come, or its deletions are so
// many that somebody has to look at them (Held).
type Deletion struct {
	GUID string
	Rev  int64 // of the item when it was deleted; one that was changed since lives on
	At   time.Time
	Held bool
}

// Kept is a version that does not live on, see Items.Keep.
type Kept struct {
	ID     int64
	Item   Item
	At     time.Time // when it was kept
	Reason string
}

// Safety keeps what protects against mistakes.
type Safety interface {
	PutDeletion(device string, c Collection, d Deletion) error
	Deletions(device string, c Collection) ([]Deletion, error)
	DropDeletion(device string, c Collection, guid string) error
	// KeptVersions lists at most limit of those that were kept after a time, newest first.
	KeptVersions(c Collection, after time.Time, limit int) ([]Kept, error)
	// ForgetKept forgets those kept before a time, with bodies that nothing else needs, and tells how many they were.
	ForgetKept(before time.Time) (int, error)
}
