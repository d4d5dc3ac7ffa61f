package dmclient

import (
	"strconv"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/execute"
	"github.com/alwayson-sync/alwayson/dm/internal/turn"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// maxParcel is how many octets of values a group in several messages may have: as much as a whole tree. A server shall not fill the memory.
const maxParcel = 4 << 20

// parcel is a group that comes in several messages, each of which but the last ends with a part of a value. Nothing of it is done before it is complete.
type parcel struct {
	group syncml.Group // with the members that are whole
	// from are the commands that brought them, by the CmdIDs that they have here: those of different messages may be the same.
	from map[string]ref
	size int
}

// group carries out a group, or keeps it until it is complete.
func (c *carrying) group(g *syncml.Group) {
	p := c.parcel
	if p != nil && (len(g.Commands) == 0 || !c.goesOn(g.Commands[0])) {
		c.abandon()
		p = nil
	}
	more := unfinished(g)
	if p == nil && !more {
		c.execute(g)
		return
	}
	if p == nil {
		p = &parcel{group: syncml.Group{Atomic: g.Atomic}, from: map[string]ref{}}
		c.parcel = p
	}
	kept := len(c.statuses)
	for _, m := range g.Commands {
		if err := c.keep(p, m); err != nil {
			c.parcel = nil
			c.in.Drop()
			c.statuses = c.statuses[:kept]
			c.fail(g, err)
			return
		}
	}
	if more {
		c.statuses = append(c.statuses, turn.StatusOf(c.m, g, ds.StatusChunk))
		return
	}
	c.statuses = c.statuses[:kept]
	c.parcel = nil
	c.deliver(p, g)
}

// unfinished tells whether a group ends with a part of a value.
func unfinished(g *syncml.Group) bool {
	if len(g.Commands) == 0 {
		return false
	}
	last, ok := g.Commands[len(g.Commands)-1].(*syncml.Change)
	return ok && len(last.Items) > 0 && last.Items[len(last.Items)-1].MoreData
}

// goesOn tells whether a command brings the next part of the value that is coming.
func (c *carrying) goesOn(command syncml.Command) bool {
	change, ok := command.(*syncml.Change)
	return ok && len(change.Items) > 0 && c.in.Continues(change.CommandName(), &change.Items[0])
}

// abandon forgets a group of which the rest does not come.
func (c *carrying) abandon() {
	if c.parcel != nil {
		c.parcel = nil
		c.lost(c.in.Drop())
	}
}

// keep takes a member: 213 for what is kept only.
func (c *carrying) keep(p *parcel, command syncml.Command) error {
	id := strconv.Itoa(len(p.from) + 1)
	change, ok := command.(*syncml.Change)
	if !ok {
		p.group.Commands = append(p.group.Commands, renamed(command, id))
		p.from[id] = ref{c.m.Header.MsgID, command.CommandID()}
		return nil
	}
	whole := *change
	whole.ID, whole.Items = id, nil
	for _, it := range change.Items {
		if it.Data != nil {
			p.size += len(it.Data.Bytes)
		}
		got, lost, err := c.in.Take(change.CommandName(), change.Meta, it)
		switch {
		case err != nil:
			return err
		case lost != nil:
			return dm.Refuse(ds.StatusIncomplete, "a part of a value in the group is missing")
		case p.size > maxParcel:
			return dm.Refuse(ds.StatusTooLarge, "a group of more than %d octets is too large", maxParcel)
		case got != nil:
			whole.Items = append(whole.Items, *got)
		}
	}
	c.statuses = append(c.statuses, turn.StatusOf(c.m, change, ds.StatusChunk))
	if len(whole.Items) > 0 || len(change.Items) == 0 {
		p.group.Commands = append(p.group.Commands, &whole)
		p.from[id] = ref{c.m.Header.MsgID, change.ID}
	}
	return nil
}

// renamed is a member that is no change with another CmdID. Whether it may be in a group is for who carries it out.
func renamed(command syncml.Command, id string) syncml.Command {
	switch command := command.(type) {
	case *syncml.Get:
		other := *command
		other.ID = id
		return &other
	case *syncml.Exec:
		other := *command
		other.ID = id
		return &other
	case *syncml.Alert:
		other := *command
		other.ID = id
		return &other
	case *syncml.Group:
		other := *command
		other.ID = id
		return &other
	}
	return command
}

// deliver carries out a group that is complete, and answers each member by the command that brought it.
func (c *carrying) deliver(p *parcel, last *syncml.Group) {
	if err := c.begin(); err != nil {
		c.fail(last, err)
		return
	}
	p.group.ID = "0"
	p.from[p.group.ID] = ref{c.m.Header.MsgID, last.ID}
	for _, a := range execute.Commands(c.x, execute.Message{ID: c.m.Header.MsgID, Commands: []syncml.Command{&p.group}, Alert: c.o.Ask}) {
		switch a := a.(type) {
		case *syncml.Status:
			a.MsgRef, a.CmdRef = p.from[a.CmdRef].msg, p.from[a.CmdRef].cmd
		case *syncml.Results:
			a.MsgRef, a.CmdRef = p.from[a.CmdRef].msg, p.from[a.CmdRef].cmd
		}
		c.answered(a)
	}
}
