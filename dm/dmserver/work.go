package dmserver

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/internal/fill"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// Op is what is to be done.
type Op string

// The operations (protocol.md H.3).
const (
	Get      Op = "Get"
	Add      Op = "Add"
	Replace  Op = "Replace"
	Delete   Op = "Delete"
	Copy     Op = "Copy"
	Exec     Op = "Exec"
	Atomic   Op = "Atomic"   // all members or none
	Sequence Op = "Sequence" // members one after the other
)

// Work is one command, or a group of them.
type Work struct {
	ID         string // the caller's, under which the outcome is told; members have their own
	Op         Op
	URI        string    // of the node, with ?list= or ?prop= where wanted
	Value      dm.Value  // of Add, Replace and Exec
	Tree       *ddf.Tree // of Add and Replace, instead of a value
	From       string    // of Copy: the node to be copied
	Correlator string    // of Exec: to be repeated in the event that tells how it went on
	Members    []Work    // of Atomic and Sequence
}

// Outcome is what the device says of a Work.
type Outcome struct {
	ID     string
	Status ds.Status // 0 if the device has not said anything
	Reason string    // why it was not done, as the device says or else as its status does; "" if it was done
	URI    string    // the node that the reason is about, if not the Work's own
	Found  []Found   // of Get
}

// Applied tells whether the work was done. An accepted Exec is one that goes on.
func (o Outcome) Applied() bool { return o.Status >= ds.StatusOK && o.Status < ds.StatusChunk }

// Found is one node that a Get has found.
type Found struct {
	URI   string
	Value dm.Value
	Tree  *ddf.Tree // of ?list=TNDS, instead of a value
}

// task is a Work under way.
type task struct {
	Work
	members []*task
	outcome Outcome
}

// Add adds work to what is to be done, also while the session runs.
func (s *Session) Add(work ...Work) error {
	for i := range work {
		t, err := newTask(work[i], false)
		if err != nil {
			return err
		}
		s.queue = append(s.queue, t)
	}
	return nil
}

func newTask(w Work, member bool) (*task, error) {
	t := &task{Work: w, outcome: Outcome{ID: w.ID}}
	group := w.Op == Atomic || w.Op == Sequence
	switch {
	case group && (len(w.Members) == 0 || member):
		return nil, fmt.Errorf("work %q: a group has members, and is not one", w.ID)
	case group:
	case w.URI == "":
		return nil, fmt.Errorf("work %q: there is no node", w.ID)
	case w.command() == nil:
		return nil, fmt.Errorf("work %q: there is no operation %q", w.ID, w.Op)
	}
	if w.Tree != nil {
		if _, err := w.Tree.Marshal(); err != nil {
			return nil, fmt.Errorf("work %q: %w", w.ID, err)
		}
	}
	for _, m := range w.Members {
		sub, err := newTask(m, true)
		if err != nil {
			return nil, err
		}
		t.members = append(t.members, sub)
	}
	return t, nil
}

var ops = map[Op]syncml.Op{Add: syncml.OpAdd, Replace: syncml.OpReplace, Delete: syncml.OpDelete, Copy: syncml.OpCopy}

// command is a Work that is no group, as a command; nil if there is no such operation.
func (w *Work) command() syncml.Command {
	it := syncml.Item{Target: &syncml.Location{URI: w.URI}}
	switch w.Op {
	case Get:
		return &syncml.Get{Items: []syncml.Item{it}}
	case Exec:
		w.put(&it)
		return &syncml.Exec{Correlator: w.Correlator, Item: it}
	case Add, Replace:
		w.put(&it)
	case Copy:
		it.Source = &syncml.Location{URI: w.From}
	case Delete:
	default:
		return nil
	}
	return &syncml.Change{Op: ops[w.Op], Items: []syncml.Item{it}}
}

// put writes the value. Octets go as base64, which either encoding carries and which can be cut (protocol.md A.5).
func (w *Work) put(it *syncml.Item) {
	if w.Tree != nil {
		it.Meta.Format, it.Meta.Type = string(dm.FormatXML), dm.TypeTNDS
		text, _ := w.Tree.Marshal() // was tried before
		it.Data = &syncml.Data{Bytes: text}
		return
	}
	it.Meta.Format, it.Meta.Type = string(w.Value.Format), w.Value.Type
	switch {
	case w.Value.Data == nil:
	case w.Value.Format == dm.FormatBin || w.Value.Format == dm.FormatB64:
		it.Meta.Format = string(dm.FormatB64)
		it.Data = &syncml.Data{Bytes: base64.StdEncoding.AppendEncode(nil, w.Value.Data)}
	default:
		it.Data, it.Meta = fill.Text(w.Value.Data, it.Meta)
	}
}

// build is the command of a task, whose CmdIDs are given when it is written.
func (t *task) build() syncml.Command {
	if len(t.members) == 0 {
		return t.command()
	}
	g := &syncml.Group{Atomic: t.Op == Atomic}
	for _, m := range t.members {
		g.Commands = append(g.Commands, m.build())
	}
	return g
}

// found reads what a Get has found.
func found(it *syncml.Item) (Found, error) {
	f := Found{Value: dm.Value{Format: dm.Format(it.Meta.Format), Type: it.Meta.Type}}
	if it.Source != nil {
		f.URI = it.Source.URI
	} else if it.Target != nil {
		f.URI = it.Target.URI
	}
	if f.Value.Format == "" {
		f.Value.Format = dm.FormatChr
	}
	if it.Data == nil {
		return f, nil
	}
	var err error
	switch {
	case len(it.Data.Nodes) > 0:
		f.Tree, err = ddf.FromNode(&it.Data.Nodes[0])
		return f, err
	case it.Data.DevInf != nil || it.Data.Anchor != nil:
		return f, errors.New("the result is no value")
	}
	body, err := it.Body()
	if err == nil && it.Meta.Type == dm.TypeTNDS {
		f.Tree, err = ddf.Parse(body)
		return f, err
	}
	f.Value.Data = append([]byte{}, body...)
	return f, err
}
