package tray

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// listener follows the agent, over restarts of it.
type listener struct {
	client *control.Client
	tell   chan<- Facts
	log    *slog.Logger
	start  func(context.Context) string
	// settings are asked for, too.
	settings bool
	facts    Facts
	seen     mark
	changes  string // the exchange that changed something last
	asked    bool   // there are answers to all questions
}

// mark changes when something may have come about that the status does not tell.
type mark struct {
	verified       int64
	attempts       int
	held, contents int
}

func markOf(s *control.Status) (m mark) {
	if s.Verified != nil {
		m.verified = s.Verified.UnixNano()
	}
	m.attempts = s.Attempts
	for _, st := range s.Stores {
		m.held, m.contents = m.held+st.Held, m.contents+st.Items
	}
	return m
}

// Pauses before the agent is looked for again: a restart is noticed soon, and an agent that is not there costs nothing.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

func (l *listener) run(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		heard, err := l.follow(ctx)
		if heard {
			pause = firstPause
		}
		l.lost(ctx, err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, lastPause)
	}
}

// follow tells of each status, until the agent ends.
func (l *listener) follow(ctx context.Context) (heard bool, err error) {
	l.asked = false
	for s, err := range l.client.Watch(ctx) {
		if err != nil {
			return heard, err
		}
		heard = true
		l.facts.Down, l.facts.Status = time.Time{}, s
		l.say(ctx) // before the questions: while an exchange runs the agent may not have time for them
		if l.ask(ctx) {
			l.say(ctx)
		}
	}
	return heard, errors.New("the agent has stopped")
}

func (l *listener) lost(ctx context.Context, err error) {
	if ctx.Err() != nil || !l.facts.Down.IsZero() {
		return
	}
	l.log.Info("no agent", "reason", err)
	l.facts.Down, l.facts.Start = time.Now(), l.start(ctx)
	l.say(ctx)
}

func (l *listener) say(ctx context.Context) {
	select {
	case l.tell <- l.facts:
	case <-ctx.Done():
	}
}

// answering is how long the agent may take to list something.
const answering = time.Second

// ask gets what the status does not have, when that may have changed, and tells whether it did. To find conflicts the agent goes through all items: that is asked for only
// when some have changed.
func (l *listener) ask(ctx context.Context) bool {
	former, now := l.seen, markOf(&l.facts.Status)
	if l.facts.Status.Running != "" || l.asked && now == former {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, answering)
	defer cancel()
	all := !l.asked || now.held != former.held || now.contents != former.contents
	l.asked, l.seen = true, now
	l.note(refresh(ctx, &l.facts.Log, func(ctx context.Context) ([]control.Exchange, error) { return l.client.Log(ctx, logged) }))
	if last := lastChange(l.facts.Log); all || last != l.changes {
		l.changes = last
		l.note(refresh(ctx, &l.facts.Holds, l.client.Holds))
		l.note(refresh(ctx, &l.facts.Conflicts, l.client.Conflicts))
	}
	if l.settings {
		l.note(refresh(ctx, &l.facts.Settings, l.client.Settings))
	}
	return true
}

// logged is how many exchanges are looked at for those that changed something.
const logged = 50

func lastChange(log []control.Exchange) string {
	for _, x := range slices.Backward(log) {
		if happened(&x) != "" {
			return x.At.String()
		}
	}
	return ""
}

// refresh keeps what is there if there is no answer.
func refresh[T any](ctx context.Context, list *[]T, get func(context.Context) ([]T, error)) error {
	now, err := get(ctx)
	if err == nil {
		*list = now
	}
	return err
}

// note asks again with the next status after an error.
func (l *listener) note(err error) {
	if err != nil {
		l.asked = false
		l.log.Debug("no answer", "reason", err)
	}
}
