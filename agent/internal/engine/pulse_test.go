package engine_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// TestOnlyALivingLoopHasAPulse is what the watchdog of a service manager rests on: the pulse goes on while there is nothing to do, stops while the loop
// hangs, and goes on after that.
func TestOnlyALivingLoopHasAPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var beats atomic.Int32
		e := engine.New(engine.Options{Client: &dsclient.Client{}, Config: session.DefaultConfig(), Save: func(session.Record, string) error { return nil },
			Alive: func() { beats.Add(1) }, Pulse: time.Minute})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		count := func(d time.Duration) int {
			synctest.Wait()
			beats.Store(0)
			time.Sleep(d) // of the bubble's clock
			synctest.Wait()
			return int(beats.Load())
		}
		if n := count(10*time.Minute + time.Second); n != 10 {
			t.Errorf("%d beats in ten idle minutes", n)
		}
		wake := make(chan struct{})
		hung := make(chan error, 1)
		go func() { hung <- e.Do(ctx, func(context.Context) error { <-wake; return nil }) }()
		if n := count(10 * time.Minute); n != 0 {
			t.Errorf("%d beats of a loop that hangs", n)
		}
		close(wake)
		if err := <-hung; err != nil {
			t.Error(err)
		}
		if n := count(10 * time.Minute); n < 9 {
			t.Errorf("%d beats after it hung", n)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
