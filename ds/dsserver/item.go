package dsserver

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/match"
)

func pimItem(it dsstore.Item) pim.Item {
	return pim.Item{Type: it.Type, Folder: it.Folder, Name: it.Name, Flags: it.Flags}
}

// identity is what an item is matched by in a first or slow sync. Folders are their path.
func identity(it pim.Item) match.Identity {
	if it.Type == pim.TypeFolder {
		return match.Identity{UID: "folder:" + it.Folder}
	}
	return match.Identify(it.Type, it.Body)
}

// record is what the server notes of an item's content.
func record(it pim.Item) dsstore.Item {
	id := identity(it)
	return dsstore.Item{Type: it.Type, Folder: it.Folder, Name: it.Name, Flags: it.Flags, Hash: sha256.Sum256(it.Body),
		Size: int64(len(it.Body)), UID: id.UID, Alike: id.Alike}
}

// Put stores an item on the server itself, e.g. mail that was delivered to it or an import, and returns its GUID. An empty
// guid makes a new item. Devices are told as after any other change.
func (s *Server) Put(ctx context.Context, c dsstore.Collection, guid string, it pim.Item) (string, error) {
	if _, ok := s.datastore(c.Store); !ok {
		return "", dsstore.ErrNotFound
	}
	if guid == "" {
		guid = newGUID(s.o.Now())
	}
	if it.Body == nil {
		it.Body = []byte{}
	}
	rec := record(it)
	rec.GUID, rec.Modified = guid, s.o.Now()
	err := s.o.Store.Update(ctx, func(tx dsstore.Tx) error {
		former, err := tx.Item(c, guid)
		if err == nil && !former.Deleted {
			err = tx.Keep(c, former, nil, "overwritten on the server")
		}
		if err != nil && !errors.Is(err, dsstore.ErrNotFound) {
			return err
		}
		_, err = tx.PutItem(c, rec, it.Body)
		return err
	})
	if err == nil {
		s.o.Changed(c, "")
	}
	return guid, err
}

// Remove deletes an item on the server itself; its last version is kept. Devices are told as after any other change.
func (s *Server) Remove(ctx context.Context, c dsstore.Collection, guid string) error {
	err := s.o.Store.Update(ctx, func(tx dsstore.Tx) error {
		it, err := tx.Item(c, guid)
		if err != nil || it.Deleted {
			return err
		}
		if err := tx.Keep(c, it, nil, "deleted on the server"); err != nil {
			return err
		}
		it.Deleted, it.Modified, it.By = true, s.o.Now(), ""
		_, err = tx.PutItem(c, it, nil)
		return err
	})
	if err == nil {
		s.o.Changed(c, "")
	}
	return err
}
