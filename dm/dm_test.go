package dm_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/ds"
)

func TestAccess(t *testing.T) {
	var all dm.Access
	for _, name := range dm.Commands {
		a, ok := dm.ParseCommand(name)
		if !ok || a.String() != name || all.Has(a) {
			t.Errorf("%s is %s", name, a)
		}
		all |= a
	}
	if got := all.String(); got != "Add, Copy, Delete, Exec, Get, Replace" || !all.Has(dm.Get|dm.Exec) || dm.Get.Has(dm.Get|dm.Exec) {
		t.Error(got)
	}
	if _, ok := dm.ParseCommand("get"); ok {
		t.Error("names are written as elements are")
	}
}

func TestRefusals(t *testing.T) {
	cause := errors.New("the disk is full")
	refusal := dm.Refuse(ds.StatusFull, "cannot add: %w", cause).At(dm.Path{"A"})
	wrapped := fmt.Errorf("cannot go on: %w", refusal)
	if got := wrapped.Error(); got != "cannot go on: cannot add: the disk is full" || refusal.URI != "./A" || !errors.Is(wrapped, cause) {
		t.Errorf("%s, %s", got, refusal.URI)
	}
	for _, c := range []struct {
		err  error
		want ds.Status
	}{{nil, ds.StatusOK}, {wrapped, ds.StatusFull}, {cause, ds.StatusFailed}} {
		if got := dm.StatusOf(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
