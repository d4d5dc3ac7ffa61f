//go:build !linux

package link

import (
	"context"
	"log/slog"
)

// observe polls.
func observe(ctx context.Context, _ *slog.Logger, events chan<- event) { poll(ctx, events) }
