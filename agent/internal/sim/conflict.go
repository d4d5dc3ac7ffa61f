package sim

import (
	"bytes"
	"errors"
	"slices"
	"strconv"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// policy is what becomes of conflicts on a device.
func (d *device) policy() ds.ConflictPolicy {
	if i := slices.Index(d.w.devices, d); i >= 0 && i < len(d.w.plan.Conflicts) {
		return d.w.plan.Conflicts[i]
	}
	return ds.ConflictsMerge
}

// contested is what the server has before a message that may overwrite it for a policy.
func (s *server) contested() []entry {
	if len(s.w.plan.Conflicts) == 0 {
		return nil
	}
	return s.documents()
}

// conflictCodes are how the server says what has become of a conflict.
var conflictCodes = []ds.Status{ds.StatusDuplicated, ds.StatusServerWins, ds.StatusClientWins}

// noteConflicts takes down what the server says of conflicts: a copy that it keeps may stay even if its user goes on editing, and what lost for a policy
// may be in the history only.
func (s *server) noteConflicts(device string, body, answer []byte, before []entry) {
	if !slices.ContainsFunc(conflictCodes, func(c ds.Status) bool { return bytes.Contains(answer, []byte(strconv.Itoa(int(c)))) }) {
		return
	}
	q, err := syncml.Decode(body, syncml.WBXML)
	a, err2 := syncml.Decode(answer, syncml.WBXML)
	if err := errors.Join(err, err2); err != nil {
		s.w.fail("server", "a message cannot be read: %v", err)
		return
	}
	codes := map[string]ds.Status{}
	for _, c := range a.Commands {
		if st, ok := c.(*syncml.Status); ok {
			codes[st.CmdRef] = st.Code
		}
	}
	for _, c := range q.Commands {
		if sync, ok := c.(*syncml.Sync); ok {
			s.noteVerdicts(device, sync.Commands, codes, before)
		}
	}
}

func (s *server) noteVerdicts(device string, commands []syncml.Command, codes map[string]ds.Status, before []entry) {
	l, policy := s.w.ledger, s.w.device(device).policy()
	for _, c := range commands {
		ch, ok := c.(*syncml.Change)
		if !ok || ch.Items[0].Data == nil {
			continue
		}
		body := ch.Items[0].Data.Bytes
		switch code := codes[ch.ID]; {
		case code == ds.StatusDuplicated:
			l.copied[uid(body)] = true
		case code == ds.StatusServerWins && policy == ds.ConflictsServer:
			l.yield(marks(body))
		case code == ds.StatusClientWins && policy == ds.ConflictsDevice:
			s.overwritten(device, ch.Items[0].Source.URI, before)
		}
	}
}

// overwritten takes down that a device has written over an item.
func (s *server) overwritten(device, luid string, before []entry) {
	s.view(func(tx dsstore.Tx) error {
		m, err := tx.ByLUID(device, collection, luid)
		if i := slices.IndexFunc(before, func(e entry) bool { return e.key == m.GUID }); i >= 0 {
			s.w.ledger.yield(marks(before[i].item.Body))
		}
		return err
	})
}

func (w *World) device(id string) *device {
	return w.devices[slices.IndexFunc(w.devices, func(d *device) bool { return d.id == id })]
}
