package state_test

import (
	"fmt"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/kv/memkv"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
)

func TestTheJournalKeepsTheLastEntries(t *testing.T) {
	db := &memkv.Store{}
	n := 0
	for range 3 { // each time as after a restart
		j, _, err := state.OpenJournal(db, 5)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			n++
			if err := j.Append(fmt.Append(nil, n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, entries, err := state.OpenJournal(db, 5)
	if err != nil || fmt.Sprintf("%s", entries) != "[8 9 10 11 12]" {
		t.Errorf("kept %s, %v", entries, err)
	}
}
