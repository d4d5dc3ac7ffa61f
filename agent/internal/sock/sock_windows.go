package sock

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strings"

	"github.com/Microsoft/go-winio"
)

// onlyOwner lets the owner of the process and administrators open the pipe, and nobody over the network.
const onlyOwner = "D:P(A;;GA;;;OW)(A;;GA;;;BA)(A;;GA;;;SY)"

func pipe(path string) string {
	if strings.HasPrefix(path, `\\.\pipe\`) {
		return path
	}
	return `\\.\pipe\` + strings.NewReplacer(`\`, "-", ":", "-", "/", "-").Replace(path)
}

// Listen makes the pipe; ErrTaken if another agent has it.
func Listen(path string) (net.Listener, error) {
	l, err := winio.ListenPipe(pipe(path), &winio.PipeConfig{SecurityDescriptor: onlyOwner})
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrPermission) {
		return nil, taken(path)
	}
	return l, err
}

// Dial connects to the agent; ErrNoAgent if there is none.
func Dial(ctx context.Context, path string) (net.Conn, error) {
	c, err := winio.DialPipeContext(ctx, pipe(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoAgent
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, foreign(path)
	}
	return c, err
}
