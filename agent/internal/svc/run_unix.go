//go:build !windows

package svc

import (
	"context"
	"io"
)

// Run runs an agent, which calls ready when it works. The service manager of Windows wants an answer; systemd and launchd take what they see.
func Run(ctx context.Context, run func(ctx context.Context, ready func()) error) error {
	return run(ctx, func() {})
}

// Log is where an agent writes; Windows has another place for services.
func Log(w io.Writer) io.Writer { return w }
