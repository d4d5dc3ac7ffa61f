package dsserver

import (
	"crypto/sha256"
	"strings"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/digest"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/mail"
)

// getDigest answers what the device should have of a datastore below a prefix of its ids.
func (r *reply) getDigest(c *syncml.Get, it *syncml.Item) error {
	store, prefix, _ := strings.Cut(strings.TrimPrefix(wire.URI(it.Target), wire.DigestURI), "/")
	d, ok := r.s.datastore(store)
	if !ok {
		r.answerItem(c, it, ds.StatusNotFound)
		return nil
	}
	list, err := r.tx.Holdings(r.x.deviceID, dsstore.Collection{User: r.x.device.User, Store: d.URI})
	if err != nil {
		return err
	}
	leaves := make([]digest.Leaf, len(list))
	for i := range list {
		hash, err := r.hashAt(&list[i])
		if err != nil {
			return err
		}
		leaves[i] = digest.Leaf{ID: list[i].LUID, Sum: digest.Sum(hash, string(list[i].Flags))}
	}
	r.answerItem(c, it, ds.StatusOK)
	r.after = append(r.after, &syncml.Results{MsgRef: r.m.Header.MsgID, CmdRef: c.ID, Meta: syncml.Meta{Type: "text/plain"},
		Items: []syncml.Item{{Source: &syncml.Location{URI: wire.URI(it.Target)}, Data: &syncml.Data{Bytes: []byte(digest.New(leaves).Answer(prefix, false).String())}}}})
	return nil
}

// hashAt is the hash of an item as the device has it: of a part, if that is what it got.
func (r *reply) hashAt(h *dsstore.Holding) ([32]byte, error) {
	if h.Variant == "" {
		return h.Hash, nil
	}
	p, err := mail.ParsePolicy(h.Variant)
	if err != nil {
		return h.Hash, nil //nolint:nilerr // it differs, then, and is looked at
	}
	body, err := r.tx.Body(h.Hash)
	if err != nil {
		return h.Hash, err
	}
	part, _ := mail.Reduce(body, p)
	return sha256.Sum256(part), nil
}
