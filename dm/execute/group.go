package execute

import (
	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// sequence carries out its members one after the other. One that fails does not keep the next ones from being done; a user who says no does.
func (e *executor) sequence(g *syncml.Group) {
	e.status(g, nil, nil)
	going := true
	for _, c := range g.Commands {
		if !going {
			e.skip(c)
			continue
		}
		going = e.command(c)
	}
}

// atomic carries out all of its members or none.
func (e *executor) atomic(g *syncml.Group) {
	own := e.status(g, nil, nil)
	first := len(e.statuses)
	going := true
	for _, c := range g.Commands {
		if !going {
			e.skip(c)
			continue
		}
		going = e.member(c)
	}
	if going {
		if err := e.x.Commit(); err != nil {
			give(own, err)
			e.rolledBack(own, e.statuses[first:], rollbackStatus(err))
		}
		return
	}
	e.x.Rollback()
	e.rolledBack(own, e.statuses[first:], ds.StatusRolledBack)
}

func rollbackStatus(err error) ds.Status {
	if s := dm.StatusOf(err); s == ds.StatusRollbackFailed {
		return s
	}
	return ds.StatusRolledBack
}

// rolledBack answers an Atomic that failed: what was done in it is undone. The one that failed keeps its own status.
func (e *executor) rolledBack(own *syncml.Status, members []*syncml.Status, code ds.Status) {
	own.Code = ds.StatusAtomicFailed
	for _, s := range members {
		if done(s.Code) {
			s.Code, s.Items = code, nil
		}
	}
}

// member carries out a member of an Atomic and tells whether it could be. What cannot be taken back, reads or groups has no place there: 500
// (protocol.md H.3).
func (e *executor) member(c syncml.Command) bool {
	switch c := c.(type) {
	case *syncml.Change:
		if c.ID == "" {
			break
		}
		return e.memberItems(c)
	case *syncml.Alert:
		return e.alert(c)
	}
	e.fail(c, dm.Refuse(ds.StatusFailed, "%s cannot be part of an Atomic", c.CommandName()))
	return false
}

func (e *executor) memberItems(c *syncml.Change) bool {
	going := true
	for _, it := range items(c) {
		if !going {
			e.status(c, it, nil).Code = ds.StatusNotExecuted
			continue
		}
		going = e.status(c, it, e.change(c.Op, it)).Code == ds.StatusOK
	}
	return going
}

// skip answers a command that is not carried out because of an earlier one, with all that is in it.
func (e *executor) skip(c syncml.Command) {
	switch c := c.(type) {
	case *syncml.Change:
		for _, it := range items(c) {
			e.status(c, it, nil).Code = ds.StatusNotExecuted
		}
		return
	case *syncml.Group:
		e.status(c, nil, nil).Code = ds.StatusNotExecuted
		for _, m := range c.Commands {
			e.skip(m)
		}
		return
	}
	e.status(c, nil, nil).Code = ds.StatusNotExecuted
}
