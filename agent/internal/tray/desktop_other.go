//go:build !unix || darwin

package tray

import (
	"context"
	"log/slog"
)

// Desktop is the session of the user. Here it has no notifications yet: icon and menu tell, and the log.
type Desktop struct{ log *slog.Logger }

// OpenDesktop makes one.
func OpenDesktop(_ chan<- Click, log *slog.Logger) (*Desktop, error) { return &Desktop{log}, nil }

// Closed is never closed.
func (*Desktop) Closed() <-chan struct{} { return nil }

// Close does nothing.
func (*Desktop) Close() {}

// Ring implements Bell.
func (d *Desktop) Ring(n Note) {
	if !n.Gone {
		d.log.Info(n.Title, "text", n.Body)
	}
}

// Listen waits for ctx.
func (*Desktop) Listen(ctx context.Context) { <-ctx.Done() }
