// Package doctor examines what an agent depends on, and says of each fault what it means and what to type. It changes nothing but what it is asked to
// repair.
package doctor

import (
	"context"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/crash"
	"github.com/alwayson-sync/alwayson/agent/internal/svc"
)

// State is how bad a finding is.
type State string

// The states.
const (
	OK      State = "ok"
	Warning State = "warning" // it works, but not for long, or not as well as it could
	Fault   State = "error"
)

// Finding is the outcome of one check. Scripts know it by its ID.
type Finding struct {
	ID      string        `json:"id"` // e.g. server.tls
	Section string        `json:"section"`
	State   State         `json:"state"`
	Text    string        `json:"text"`              // one sentence
	Fix     string        `json:"fix,omitempty"`     // what to type or to do, "" if nothing
	Store   string        `json:"store,omitempty"`   // that it is about
	Took    time.Duration `json:"took_ns,omitempty"` // of checks that wait for others
	// Repair makes it right; nil if that is not safe to do unasked.
	Repair func() error `json:"-"`
}

// Patient is what is examined.
type Patient struct {
	Version    string // of this program
	ConfigPath string
	// Config is what holds, nil if ConfigErr says why it cannot be read.
	Config    *config.Config
	ConfigErr error
	// Agent is the status of the one that runs, nil if AgentErr says why there is none.
	Agent    *control.Status
	AgentErr error
	// Service is what the service manager says of the user's service, nil if ServiceErr says why nobody knows.
	Service    *svc.Status
	ServiceErr error
	// Crash is the last one of the agent, nil if it never crashed.
	Crash *crash.Crash
	// Settings are those of the agent that runs, if any.
	Settings []control.Setting
	Now      time.Time
}

// wait bounds each attempt to reach somebody.
const wait = 10 * time.Second

// checkup is one part of an examination.
type checkup func(ctx context.Context, p *Patient, found func(Finding))

// Examine looks at everything, and calls found for each finding as it comes. It takes up to some ten seconds if others do not answer.
func Examine(ctx context.Context, p *Patient, found func(Finding)) {
	for _, s := range []struct {
		section string
		look    checkup
	}{
		{"configuration", configuration}, {"keyring", keyring}, {"agent", running}, {"agent", crashed}, {"service", service}, {"network", network}, {"server", server}, {"broker", broker},
		{"stores", stores}, {"data", data},
	} {
		s.look(ctx, p, func(f Finding) { f.Section = s.section; found(f) })
	}
}

// Reach looks at the ways to the server and to the broker only.
func Reach(ctx context.Context, p *Patient, found func(Finding)) {
	server(ctx, p, found)
	broker(ctx, p, found)
}

// Worst is the worst state of some findings.
func Worst(list []Finding) State {
	worst := OK
	for _, f := range list {
		if f.State == Fault || worst == OK {
			worst = f.State
		}
	}
	return worst
}

func ok(id, text string) Finding { return Finding{ID: id, State: OK, Text: text} }
func warning(id, text, fix string) Finding {
	return Finding{ID: id, State: Warning, Text: text, Fix: fix}
}
func fault(id, text, fix string) Finding    { return Finding{ID: id, State: Fault, Text: text, Fix: fix} }
func (f Finding) of(store string) Finding   { f.Store = store; return f }
func (f Finding) since(t time.Time) Finding { f.Took = time.Since(t); return f }
