package dsstore

import "time"

// AudienceKind is what kind of devices a wish is for. It is stored: never rename one.
type AudienceKind string

// The kinds, the most special one first.
const (
	ForDevice AudienceKind = "device"
	ForGroup  AudienceKind = "group"
	ForUser   AudienceKind = "user"
	ForAll    AudienceKind = "all"
)

// Audience is whom a wish is for: one device, or those of a group or of a user, or all; also those that come later.
type Audience struct {
	Kind AudienceKind
	Name string // of the device, group or user
}

func (a Audience) String() string {
	if a.Kind == ForAll {
		return string(a.Kind)
	}
	return string(a.Kind) + " " + a.Name
}

// Wish is what an administrator wants an audience to be set to. What follows for each device from all wishes is its Setting.
type Wish struct {
	For    Audience
	Key    string // of the settings table
	Value  string
	Secret bool // Value is one
	By     string
	At     time.Time
}

// Group is a number of devices that administrators set together.
type Group struct {
	Name string
	By   string // who made it
	At   time.Time
}

// Member is a device in a group. It may be in several.
type Member struct {
	Group, Device string
	By            string // who put it there
	At            time.Time
}

// Groups keeps groups of devices, and what is wanted of devices together.
type Groups interface {
	Group(name string) (Group, error)
	// Groups are all of them by name.
	Groups() ([]Group, error)
	PutGroup(Group) error
	// DeleteGroup forgets a group with its members and what is wanted of it.
	DeleteGroup(name string) error
	PutMember(Member) error
	DropMember(group, device string) error
	// Members are those of a group, by device.
	Members(group string) ([]Member, error)
	// Memberships are those of a device, by group.
	Memberships(device string) ([]Member, error)
	// PutWish takes the place of what the audience was wanted to be set to before, by key.
	PutWish(Wish) error
	DropWish(a Audience, key string) error
	// Wishes are those for exactly this audience, by key.
	Wishes(a Audience) ([]Wish, error)
}
