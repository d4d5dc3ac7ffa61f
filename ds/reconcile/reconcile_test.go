package reconcile_test

import (
	"testing"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
)

func TestDecide(t *testing.T) {
	held := reconcile.Current{Exists: true, Version: "a", Rev: 5, Mapped: true, HeldRev: 5}
	changed := reconcile.Current{Exists: true, Version: "b", Rev: 7, Mapped: true, HeldRev: 5}
	gone := reconcile.Current{Exists: true, Deleted: true, Version: "a", Rev: 8, Mapped: true, HeldRev: 5}
	stranger := reconcile.Current{Exists: true, Version: "a", Rev: 5}
	mine := reconcile.Current{Exists: true, Version: "b", Rev: 7, Mapped: true, HeldRev: 7, Held: true}
	again := reconcile.Current{Exists: true, Version: "b", Rev: 7, Mapped: true, HeldRev: 5, HeldVersion: "w"}
	lost := reconcile.Current{Exists: true, Version: "b", Rev: 7, Mapped: true}

	for _, c := range []struct {
		name string
		in   reconcile.Incoming
		cur  reconcile.Current
		want reconcile.Action
		code ds.Status
	}{
		{"a new item is created", reconcile.Incoming{Op: reconcile.Add, Version: "x"}, reconcile.Current{}, reconcile.Create, ds.StatusAdded},
		{"the same item from another device is not doubled", reconcile.Incoming{Op: reconcile.Add, Version: "a"}, stranger, reconcile.Adopt, ds.StatusOK},
		{"a re-sent add changes nothing", reconcile.Incoming{Op: reconcile.Add, Version: "a"}, held, reconcile.Adopt, ds.StatusOK},
		{"slow sync: the server's newer one wins", reconcile.Incoming{Op: reconcile.Add, Version: "x"}, stranger, reconcile.TakeMine, ds.StatusServerWins},
		{"slow sync: the device's newer one wins", reconcile.Incoming{Op: reconcile.Add, Version: "x", Likeness: reconcile.Newer}, stranger, reconcile.Update, ds.StatusOK},
		{"slow sync: both were changed", reconcile.Incoming{Op: reconcile.Add, Version: "x", Likeness: reconcile.Contrary}, stranger, reconcile.KeepBoth, ds.StatusDuplicated},
		{"an edit is taken", reconcile.Incoming{Op: reconcile.Replace, Version: "x", Base: "a"}, held, reconcile.Update, ds.StatusOK},
		{"two edits are both kept", reconcile.Incoming{Op: reconcile.Replace, Version: "x", Base: "a"}, changed, reconcile.KeepBoth, ds.StatusDuplicated},
		{"two equal edits are one", reconcile.Incoming{Op: reconcile.Replace, Version: "b", Base: "a"}, changed, reconcile.Adopt, ds.StatusOK},
		{"an edit after a lost answer is no conflict", reconcile.Incoming{Op: reconcile.Replace, Version: "x", Base: "b"}, changed, reconcile.Update, ds.StatusOK},
		{"two edits in a row are no conflict though the answer to the first was lost", reconcile.Incoming{Op: reconcile.Replace, Version: "x", Base: "a"}, mine, reconcile.Update, ds.StatusOK},
		{"nor is a deletion after an edit whose answer was lost", reconcile.Incoming{Op: reconcile.Delete, Base: "a"}, mine, reconcile.Remove, ds.StatusOK},
		{"a peer without versions is judged by revision", reconcile.Incoming{Op: reconcile.Replace, Version: "x"}, changed, reconcile.KeepBoth, ds.StatusDuplicated},
		{"an unknown held revision is no conflict", reconcile.Incoming{Op: reconcile.Replace, Version: "x"}, lost, reconcile.Update, ds.StatusOK},
		{"an edit wins over a deletion", reconcile.Incoming{Op: reconcile.Replace, Version: "x", Base: "a"}, gone, reconcile.Update, ds.StatusAdded},
		{"two edits: the server's wins", reconcile.Incoming{Op: reconcile.Replace, Version: "x", Base: "a", Policy: ds.ConflictsServer}, changed, reconcile.TakeMine, ds.StatusServerWins},
		{"two edits: the device's wins", reconcile.Incoming{Op: reconcile.Replace, Version: "x", Base: "a", Policy: ds.ConflictsDevice}, changed, reconcile.Update, ds.StatusClientWins},
		{"two edits: both, by policy", reconcile.Incoming{Op: reconcile.Replace, Version: "x", Base: "a", Policy: ds.ConflictsKeepBoth}, changed, reconcile.KeepBoth, ds.StatusDuplicated},
		{"slow sync: the device's wins", reconcile.Incoming{Op: reconcile.Add, Version: "x", Likeness: reconcile.Contrary, Policy: ds.ConflictsDevice}, stranger, reconcile.Update, ds.StatusClientWins},
		{"what is sent again does not win over what came after it", reconcile.Incoming{Op: reconcile.Replace, Version: "w", Base: "a", Policy: ds.ConflictsDevice}, again, reconcile.Nothing, ds.StatusOK},
		{"what is sent again is not kept twice", reconcile.Incoming{Op: reconcile.Replace, Version: "w", Base: "a", Policy: ds.ConflictsKeepBoth}, again, reconcile.Nothing, ds.StatusOK},
		{"what lost is sent again", reconcile.Incoming{Op: reconcile.Replace, Version: "w", Base: "a", Policy: ds.ConflictsServer}, again, reconcile.Nothing, ds.StatusServerWins},
		{"a deletion loses to an edit, whoever wins", reconcile.Incoming{Op: reconcile.Delete, Base: "a", Policy: ds.ConflictsDevice}, changed, reconcile.SendAgain, ds.StatusOK},
		{"an edit wins over a deletion, whoever wins", reconcile.Incoming{Op: reconcile.Replace, Version: "x", Base: "a", Policy: ds.ConflictsServer}, gone, reconcile.Update, ds.StatusAdded},
		{"a deletion is taken", reconcile.Incoming{Op: reconcile.Delete, Base: "a"}, held, reconcile.Remove, ds.StatusOK},
		{"a deletion loses to an edit", reconcile.Incoming{Op: reconcile.Delete, Base: "a"}, changed, reconcile.SendAgain, ds.StatusOK},
		{"what is sent again does not revive", reconcile.Incoming{Op: reconcile.Add, Version: "w"},
			reconcile.Current{Exists: true, Deleted: true, Version: "a", Rev: 8, Mapped: true, HeldRev: 5, HeldVersion: "w"}, reconcile.Nothing, ds.StatusOK},
		{"what is as both had it revives nothing", reconcile.Incoming{Op: reconcile.Replace, Version: "x", Base: "x"}, gone, reconcile.Nothing, ds.StatusOK},
		{"an edit that was taken back is none", reconcile.Incoming{Op: reconcile.Replace, Version: "a", Base: "a"}, changed, reconcile.SetFlags, ds.StatusOK},
		{"both deleted", reconcile.Incoming{Op: reconcile.Delete, Base: "a"}, gone, reconcile.Remove, ds.StatusOK},
		{"an unknown item is not deleted", reconcile.Incoming{Op: reconcile.Delete}, reconcile.Current{}, reconcile.Unknown, ds.StatusNotDeleted},
		{"flags change", reconcile.Incoming{Op: reconcile.Reflag}, held, reconcile.SetFlags, ds.StatusOK},
		{"flags of a deleted item", reconcile.Incoming{Op: reconcile.Reflag}, gone, reconcile.Unknown, ds.StatusNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := reconcile.Decide(c.in, c.cur)
			if got.Action != c.want || got.Status != c.code {
				t.Errorf("got action %d status %v, want %d %v", got.Action, got.Status, c.want, c.code)
			}
		})
	}
}
