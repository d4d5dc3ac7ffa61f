package tray

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// listener follows the agent, over restarts of it.
type listener struct {
	client *control.Client
	tell   chan<- Facts
	log    *slog.Logger
	facts  Facts
	seen   [3]int // of the last status: what makes the rest worth to be asked for again
	asked  bool
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
		l.ask(ctx)
		l.say(ctx)
	}
	return heard, errors.New("the agent has stopped")
}

func (l *listener) lost(ctx context.Context, err error) {
	if ctx.Err() != nil || !l.facts.Down.IsZero() {
		return
	}
	l.log.Info("no agent", "reason", err)
	l.facts.Down = time.Now()
	l.say(ctx)
}

func (l *listener) say(ctx context.Context) {
	select {
	case l.tell <- l.facts:
	case <-ctx.Done():
	}
}

// answering is how long the agent may take to list something.
const answering = 10 * time.Second

// ask gets what the status does not have, when that may have changed: after an exchange, and with the number of held deletions.
func (l *listener) ask(ctx context.Context) {
	now := marks(&l.facts.Status)
	if l.facts.Status.Running != "" || l.asked && now == l.seen {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, answering)
	defer cancel()
	l.asked, l.seen = true, now
	l.note(refresh(ctx, &l.facts.Holds, l.client.Holds))
	l.note(refresh(ctx, &l.facts.Conflicts, l.client.Conflicts))
	l.note(refresh(ctx, &l.facts.Log, func(ctx context.Context) ([]control.Exchange, error) { return l.client.Log(ctx, logged) }))
}

// logged is how many exchanges are looked at for those that changed something.
const logged = 50

// marks change when something may have come about that the status does not tell.
func marks(s *control.Status) (m [3]int) {
	if s.Verified != nil {
		m[0] = int(s.Verified.UnixNano())
	}
	m[1] = s.Attempts
	for _, st := range s.Stores {
		m[2] += st.Held + st.Items
	}
	return m
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
