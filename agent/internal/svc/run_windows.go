package svc

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/kardianos/service"
)

// Run runs an agent, which calls ready when it works. Under the service manager of Windows it answers that one: a start that fails is a start that failed
// and is not tried again, an agent that ends later is restarted.
func Run(ctx context.Context, run func(ctx context.Context, ready func()) error) error {
	if service.Interactive() {
		return run(ctx, func() {})
	}
	ctx, stop := context.WithCancel(ctx)
	p := &guest{ctx: ctx, stop: stop, run: run, ready: make(chan struct{}), ended: make(chan error, 1)}
	s, err := service.New(p, &service.Config{Name: DefaultName})
	if err != nil {
		return err
	}
	return s.Run()
}

// guest is the agent as the service manager sees it.
type guest struct {
	ctx   context.Context
	stop  context.CancelFunc
	run   func(context.Context, func()) error
	ready chan struct{}
	ended chan error // capacity one
}

// Start returns when the agent works, or with why it does not.
func (g *guest) Start(service.Service) error {
	go func() { g.ended <- g.run(g.ctx, func() { close(g.ready) }) }()
	select {
	case <-g.ready:
		go g.watch()
		return nil
	case err := <-g.ended:
		return err
	}
}

// watch ends the process with the agent, as the service manager restarts only what has ended without a word.
func (g *guest) watch() {
	err := <-g.ended
	if g.ctx.Err() == nil {
		slog.Error("the agent has ended", "reason", err)
		os.Exit(1)
	}
	g.ended <- err
}

// Stop ends the agent and waits for it.
func (g *guest) Stop(service.Service) error {
	g.stop()
	return <-g.ended
}

// Log is where an agent writes: a service of Windows has no standard error, but a log of events.
func Log(w io.Writer) io.Writer {
	if service.Interactive() {
		return w
	}
	s, err := service.New(nothing{}, &service.Config{Name: DefaultName})
	if err != nil {
		return w
	}
	l, err := s.SystemLogger(nil)
	if err != nil {
		return w
	}
	return events{l}
}

// events takes one line a call, as slog writes them.
type events struct{ service.Logger }

func (e events) Write(line []byte) (int, error) { return len(line), e.Info(string(line)) }
