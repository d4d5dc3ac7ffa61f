// Package tray shows in the desktop's panel where the agent stands, and tells the user what needs him. It is a client of the control API
// like any other: synchronization goes on without it, and it without an agent.
package tray

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

// Options of a tray. All must be set.
type Options struct {
	Client *control.Client
	Notify Level
	Screen Screen
	Bell   Bell
	Clicks <-chan Click // of both
	Browse func(url string) error
	Start  func(context.Context) string // what to type to start the agent; it is asked when none answers
	Log    *slog.Logger
}

// Screen is the icon with its menu.
type Screen interface {
	// Show replaces what is shown. It is called from one goroutine.
	Show(View)
}

// Bell is the desktop's notifications. It may be used from any goroutine.
type Bell interface {
	// Ring shows a note, or withdraws it. A desktop without notifications is no error: nobody can be told of it.
	Ring(Note)
}

// breath is how long a view stays at least: a program that watches files can change its mind a hundred times a second.
const breath = 200 * time.Millisecond

// Run shows the agent until ctx ends or the user quits the tray.
func Run(ctx context.Context, o Options) {
	ctx, cancel := context.WithCancel(ctx)
	heard := make(chan Facts)
	done := make(chan struct{})
	go func() {
		defer close(done)
		(&listener{client: o.Client, tell: heard, log: o.Log, start: o.Start, settings: o.Notify.has(Changes)}).run(ctx)
	}()
	l := &loop{Options: o, book: newLedger(o.Notify), resting: time.NewTimer(0)}
	l.run(ctx, heard)
	cancel()
	l.wishes.Wait()
	<-done
}

// loop owns what is shown.
type loop struct {
	Options
	facts   Facts
	book    *ledger
	resting *time.Timer // until it ends, nothing is shown; it always runs or has been read
	dirty   bool
	idle    bool // resting has been read
	wishes  sync.WaitGroup
}

func (l *loop) run(ctx context.Context, heard <-chan Facts) {
	minute := time.NewTicker(time.Minute) // some causes are only a matter of time
	defer minute.Stop()
	l.dirty = true
	for {
		select {
		case <-ctx.Done():
			return
		case l.facts = <-heard:
			l.dirty = true
		case <-minute.C:
			l.dirty = true
		case <-l.resting.C:
			l.idle = true
		case c := <-l.Clicks:
			if c.Do == Quit {
				return
			}
			l.clicked(ctx, c)
		}
		if l.dirty && l.idle {
			l.show(time.Now())
		}
	}
}

func (l *loop) show(now time.Time) {
	v := Look(&l.facts, now)
	l.Screen.Show(v)
	for _, n := range l.book.update(&l.facts, &v, now) {
		l.Bell.Ring(n)
	}
	l.dirty, l.idle = false, false
	l.resting.Reset(breath)
}

// clicked carries out a wish beside the loop: what comes of it is seen in the next status. A refusal is told, for it was asked for.
func (l *loop) clicked(ctx context.Context, c Click) {
	if c.Do == Explain {
		l.explain(c.With)
		return
	}
	on := l.facts.Status.AlwaysOn
	l.wishes.Go(func() {
		err := wish(ctx, &l.Options, c, on, time.Now())
		if err == nil || ctx.Err() != nil {
			return
		}
		l.Log.Warn("a wish was not carried out", "wish", c.Do, "reason", err)
		l.Bell.Ring(Note{Key: "wish", Title: say.Text("This was not possible"), Body: sentence(err.Error())})
	})
}

func (l *loop) explain(key string) {
	now := time.Now()
	for _, c := range l.facts.causes(now) {
		if c.Key == key {
			l.Bell.Ring(l.book.tell(&c, now))
		}
	}
}

// wish asks the agent, where Always-On is on or not.
func wish(ctx context.Context, o *Options, c Click, on bool, now time.Time) (err error) {
	agent := o.Client
	switch c.Do {
	case Switch:
		if on {
			_, err = agent.Off(ctx)
		} else {
			_, err = agent.On(ctx)
		}
	case SyncNow:
		_, err = agent.Sync(ctx, true) // so that it looks at all stores before
	case PauseHour, PauseToday, PauseOpen:
		_, err = agent.Pause(ctx, endOf(c.Do, now))
	case Resume:
		_, err = agent.Resume(ctx)
	case Keep:
		_, err = agent.DecideHold(ctx, c.With, false)
	case ShowPage:
		err = showPage(ctx, o)
	}
	return err
}

func showPage(ctx context.Context, o *Options) error {
	url, err := o.Client.OwnPage(ctx)
	if err != nil {
		return err
	}
	return o.Browse(url)
}
