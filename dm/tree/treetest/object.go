package treetest

import (
	"errors"
	"maps"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds"
)

// ErrFault is what a Store and Settings fail with on purpose.
var ErrFault = errors.New("fault on purpose")

// Faults counts what is written, and fails when there is an end of it.
type Faults struct {
	// Left is how many more writes succeed; a negative number is any.
	Left int
	// Once: the one write fails and those after it succeed, as when a disk is full for a moment. Else the program has died.
	Once bool
	// Writes is how many there were.
	Writes int
}

// Fault is an error if a write shall fail.
func (f *Faults) Fault() error {
	f.Writes++
	switch {
	case f.Left < 0:
		return nil
	case f.Left == 0:
		if f.Once {
			f.Left = -1
		}
		return ErrFault
	}
	f.Left--
	return nil
}

// Store is one whose writes fail as Faults says.
type Store struct {
	tree.Memory
	*Faults
}

// Write is that of tree.Store.
func (s Store) Write(put map[string][]byte, remove []string) error {
	if err := s.Fault(); err != nil {
		return err
	}
	return s.Memory.Write(put, remove)
}

// Settings is an object over a table of values.
type Settings struct {
	Values map[string]dm.Value
	Faults *Faults // nil for none
	// Refused are values that Check refuses, and Unfit is one that Commit refuses.
	Refused, Unfit string
	// Calls are what was executed.
	Calls []tree.Call
	// Commits are the changes that were made.
	Commits [][]tree.Change
}

// Nodes is that of tree.Object.
func (s *Settings) Nodes() (map[string]dm.Value, error) { return maps.Clone(s.Values), nil }

// Check is that of tree.Object.
func (s *Settings) Check(c tree.Change) error {
	if c.New != nil && s.Refused != "" && string(c.New.Data) == s.Refused {
		return dm.Refuse(ds.StatusObjectTooLarge, "%q is out of bounds", c.New.Data)
	}
	return nil
}

// Commit is that of tree.Object.
func (s *Settings) Commit(changes []tree.Change) error {
	for _, c := range changes {
		if c.New != nil && s.Unfit != "" && string(c.New.Data) == s.Unfit {
			return errors.New("the values do not fit each other")
		}
	}
	if s.Faults != nil {
		if err := s.Faults.Fault(); err != nil {
			return err
		}
	}
	s.Commits = append(s.Commits, changes)
	for _, c := range changes {
		key := c.Path.String()[len("./"):]
		if c.New == nil {
			delete(s.Values, key)
		} else {
			s.Values[key] = *c.New
		}
	}
	return nil
}

// Exec is that of tree.Executor: it is accepted.
func (s *Settings) Exec(_ dm.Path, c tree.Call) (ds.Status, error) {
	s.Calls = append(s.Calls, c)
	return ds.StatusAccepted, nil
}
