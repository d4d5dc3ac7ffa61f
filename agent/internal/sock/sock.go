// Package sock is the local socket between the agent and its controls: a Unix socket or a named pipe that only its user can open.
package sock

import (
	"errors"
	"fmt"
)

// ErrNoAgent: nobody listens on the socket.
var ErrNoAgent = errors.New("the agent is not running")

// ErrForeign: another user listens there.
var ErrForeign = errors.New("the agent there belongs to another user")

// ErrTaken: somebody listens there already.
var ErrTaken = errors.New("another agent is running")

func foreign(path string) error {
	return fmt.Errorf("%s cannot be opened: %w; who may use it is that user, and root", path, ErrForeign)
}

func taken(path string) error { return fmt.Errorf("cannot listen on %s: %w", path, ErrTaken) }
