// Package state is what the agent remembers between two starts, typed, on a kv.Store.
package state

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/alwayson-sync/alwayson/pim"
)

// Version is a version of an item: its bytes by hash, and what is not in the bytes.
type Version struct {
	Hash   [32]byte
	Flags  pim.Flags
	Folder string
}

// UnknownHash is that of a version of which nobody knows what it was.
var UnknownHash = [32]byte(bytes.Repeat([]byte{0xff}, 32))

// Row is one item of a local store: where it lies, what it was when the agent last looked, and what the server has of it.
type Row struct {
	LUID    string // for ever the same, whatever happens to the file's name
	Key     string
	Type    string
	Stamp   pim.Stamp
	Version         // now
	UID     uint64  // a digest of its UID; 0 if it has none, is no card or calendar object, or was not read since the agent notes it
	Gone    bool    // deleted here, and the server has not been told yet
	Shared  bool    // the server has Synced
	Synced  Version // last version that both sides had
	Whole   string  // ds.Version of the message that Synced is a part of, "" if it is no part
	Problem string  // why it does not take part, "" if it does
	// Doomed: the server has deleted it, and that is not carried out yet. Approved: a deletion that was held may happen.
	Doomed, Approved bool
	// Held: the deletion waits until somebody has decided. It counts only while the item is deleted on one side.
	Held bool
	// Unsure: it is as it was, and was something else meanwhile that the server may have got; or nobody has seen that it was ever as it is;
	// or the server has sent it again although it was deleted here.
	Unsure bool
}

// Dirty tells whether the server must be told something of this item.
func (r *Row) Dirty() bool { return r.Gone || !r.Shared || r.Unsure || r.Version != r.Synced }

// oneSided tells whether it is deleted on one side only.
func (r *Row) oneSided() bool { return r.Gone || r.Doomed }

// marked tells whether it is listed among those that the server must be told of.
func (r *Row) marked() bool { return r.LUID != "" && r.Dirty() && r.Problem == "" }

const (
	rowFormat = 2
	noUIDs    = 1 // the format before that
	goneFlag  = 1 // in the octet after the format
)

var errRow = errors.New("a row of the state is damaged")

// encode writes a row: short, because there is one for each item.
func (r *Row) encode() []byte {
	b := []byte{rowFormat, flag(r.Gone)*goneFlag | flag(r.Shared)<<1 | flag(r.Doomed)<<2 | flag(r.Approved)<<3 | flag(r.Unsure)<<4 | flag(r.Held && r.oneSided())<<5}
	for _, s := range []string{r.LUID, r.Key, r.Type, string(r.Flags), r.Folder, string(r.Synced.Flags), r.Synced.Folder, r.Problem} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = append(append(b, r.Hash[:]...), r.Synced.Hash[:]...)
	b = binary.AppendVarint(b, r.Stamp.Size)
	b = binary.AppendVarint(b, r.Stamp.ModTime)
	b = binary.AppendUvarint(b, r.Stamp.Inode)
	b = binary.AppendUvarint(b, r.UID)
	return append(b, r.Whole...)
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}

func decodeRow(b []byte) (Row, error) {
	var r Row
	if len(b) < 2 || b[0] != rowFormat && b[0] != noUIDs {
		return r, errRow
	}
	format := b[0]
	r.Gone, r.Shared, r.Doomed, r.Approved, r.Unsure, r.Held = b[1]&goneFlag != 0, b[1]&2 != 0, b[1]&4 != 0, b[1]&8 != 0, b[1]&16 != 0, b[1]&32 != 0
	b = b[2:]
	for _, s := range []*string{&r.LUID, &r.Key, &r.Type, (*string)(&r.Flags), &r.Folder, (*string)(&r.Synced.Flags), &r.Synced.Folder, &r.Problem} {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return r, errRow
		}
		*s = string(b[used : used+int(n)])
		b = b[used+int(n):]
	}
	if len(b) < 64 {
		return r, errRow
	}
	copy(r.Hash[:], b)
	copy(r.Synced.Hash[:], b[32:])
	return r, r.decodeRest(b[64:], format)
}

func (r *Row) decodeRest(b []byte, format byte) error {
	var n int
	for _, v := range []*int64{&r.Stamp.Size, &r.Stamp.ModTime} {
		if *v, n = binary.Varint(b); n <= 0 {
			return errRow
		}
		b = b[n:]
	}
	if r.Stamp.Inode, n = binary.Uvarint(b); n <= 0 {
		return errRow
	}
	if b = b[n:]; format != noUIDs {
		if r.UID, n = binary.Uvarint(b); n <= 0 {
			return errRow
		}
		b = b[n:]
	}
	r.Whole = string(b)
	return nil
}
