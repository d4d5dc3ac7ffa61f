package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

// watched runs a long call and shows on a terminal how far the agent has come (M7). Elsewhere it shows nothing: scripts get the outcome.
func watched(ctx context.Context, out io.Writer, c *control.Client, call func() error) error {
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return call()
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		began := time.Now()
		for s, err := range c.Watch(ctx) {
			if err != nil {
				return
			}
			if line := progressLine(&s, time.Since(began)); line != "" {
				fmt.Fprintf(out, "\r\x1b[K%s", line)
			}
		}
	}()
	err := call()
	cancel()
	<-done
	fmt.Fprint(out, "\r\x1b[K")
	return err
}

// progressLine is one line of what is exchanged: totals, rate, and how long it will take; "" if nothing is.
func progressLine(s *control.Status, took time.Duration) string {
	var parts []string
	did, total := 0, 0
	for _, st := range s.Stores {
		n := st.Sent + st.Received
		if n == 0 && st.Total == 0 {
			continue
		}
		of := max(st.Total, n)
		did, total = did+n, total+of
		parts = append(parts, fmt.Sprintf("%s %d/%d", st.Name, n, of))
	}
	if did == 0 || s.Running == "" {
		return ""
	}
	rate := float64(did) / max(took.Seconds(), 0.001)
	left := time.Duration(float64(total-did) / rate * float64(time.Second)).Round(time.Second)
	return say.Text("%s; %.0f a second, %s left", strings.Join(parts, ", "), rate, left)
}
