// Package execute carries out the commands of a device management message on a tree and answers them (protocol.md H.1, H.3).
package execute

import (
	"errors"
	"strings"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// Message is what of a server's message is carried out here.
type Message struct {
	ID       string // its MsgID
	Commands []syncml.Command
	// Alert asks the user something for a server, within an Atomic or a Sequence. If it is nil, there is no user to ask: 406.
	Alert func(*syncml.Alert) (ds.Status, []syncml.Item)
}

// Commands carries out commands in their order and gives the answers: all statuses in the order of the commands, then the results. Alert,
// Status and Results outside of groups are the session's business and passed over. CmdIDs are given by the sender, who spreads the answers
// over messages.
//
// Each item is committed before its status is given, and an Atomic as a whole: a status of 200 is a promise that holds after a crash, and a
// store that fails spoils the one command that it failed on. What a message changes as a whole is not one thing for the server either; it
// says Atomic where it is.
func Commands(x *tree.Tx, m Message) []syncml.Command {
	e := &executor{x: x, m: m}
	for _, c := range m.Commands {
		switch c.(type) {
		case *syncml.Alert, *syncml.Status, *syncml.Results:
		default:
			e.command(c)
		}
	}
	return e.answers()
}

// executor gathers answers.
type executor struct {
	x        *tree.Tx
	m        Message
	statuses []*syncml.Status
	results  []*syncml.Results
}

func (e *executor) answers() []syncml.Command {
	out := make([]syncml.Command, 0, len(e.statuses)+len(e.results))
	for _, s := range e.statuses {
		out = append(out, s)
	}
	for _, r := range e.results {
		out = append(out, r)
	}
	return out
}

// command carries out one command. It says false if what follows in a Sequence shall not be done: the user said no.
func (e *executor) command(c syncml.Command) bool {
	if c.CommandID() == "" {
		return e.fail(c, dm.Refuse(ds.StatusBadRequest, "a command has no CmdID"))
	}
	switch c := c.(type) {
	case *syncml.Get:
		e.get(c)
	case *syncml.Change:
		for _, it := range items(c) {
			e.status(c, it, e.committed(e.change(c.Op, it)))
		}
	case *syncml.Exec:
		e.exec(c)
	case *syncml.Alert:
		return e.alert(c)
	case *syncml.Group:
		if c.Atomic {
			e.atomic(c)
		} else {
			e.sequence(c)
		}
	default:
		e.fail(c, dm.Refuse(ds.StatusUnsupported, "there is no %s in device management", c.CommandName()))
	}
	return true
}

// fail answers a command that is not carried out.
func (e *executor) fail(c syncml.Command, err error) bool {
	e.status(c, nil, err)
	return true
}

// committed commits what a command has changed.
func (e *executor) committed(err error) error {
	if err != nil {
		return err
	}
	return e.x.Commit()
}

// status answers an item of a command, or with nil the command as a whole.
func (e *executor) status(c syncml.Command, it *syncml.Item, err error) *syncml.Status {
	s := &syncml.Status{MsgRef: e.m.ID, CmdRef: c.CommandID(), Cmd: c.CommandName()}
	if it != nil {
		s.TargetRefs, s.SourceRefs = refs(it.Target), refs(it.Source)
	}
	give(s, err)
	e.statuses = append(e.statuses, s)
	return s
}

// give puts an outcome into a status; of a refusal the reason, which administrators want to see (S8), and the node if it is not the target.
func give(s *syncml.Status, err error) {
	s.Code, s.Items = dm.StatusOf(err), nil
	if err == nil {
		return
	}
	it := syncml.Item{Data: &syncml.Data{Bytes: reason(err)}}
	var refusal *dm.Error
	if errors.As(err, &refusal) && refusal.URI != "" {
		it.Target = &syncml.Location{URI: refusal.URI}
	}
	s.Items = []syncml.Item{it}
}

// maxReason is how much of a reason is told, in octets: it shall not fill a message.
const maxReason = 255

func reason(err error) []byte {
	text := err.Error()
	if len(text) > maxReason {
		text = text[:maxReason]
	}
	text = strings.ToValidUTF8(text, "")
	if !syncml.XMLText([]byte(text)) {
		text = ""
	}
	return []byte(text)
}

func refs(l *syncml.Location) []string {
	if l == nil || l.URI == "" {
		return nil
	}
	return []string{l.URI}
}

func (e *executor) exec(c *syncml.Exec) {
	it := withDefaults(c.Item, &c.Meta)
	u, err := target(it)
	if err != nil {
		e.status(c, it, err)
		return
	}
	v, err := value(it)
	if err != nil {
		e.status(c, it, err)
		return
	}
	code, err := e.x.Exec(u, tree.Call{Data: v.Data, Correlator: c.Correlator})
	if s := e.status(c, it, err); err == nil && code != 0 {
		s.Code = code
	}
}

// alert asks the user.
func (e *executor) alert(c *syncml.Alert) bool {
	if e.m.Alert == nil {
		e.fail(c, dm.Refuse(ds.StatusUnsupported, "there is no user to ask"))
		return false
	}
	code, answer := e.m.Alert(c)
	s := e.status(c, nil, nil)
	s.Code, s.Items = code, answer
	return done(code)
}

// done tells whether a status means that a command was carried out; ds.Status.OK is about items of a sync.
func done(s ds.Status) bool { return s >= ds.StatusOK && s < ds.StatusChunk }
