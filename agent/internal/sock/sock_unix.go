//go:build !windows

package sock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// Listen makes the socket, and the folder it lies in if need be. A socket that a killed agent left behind is replaced, one that
// somebody answers on is ErrTaken. Closing the listener removes it.
func Listen(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
		return nil, taken(path)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("cannot remove a dead socket: %w", err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	// The mode is set right after the socket exists. Its folder is the user's own, so nobody else gets in before.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Dial connects to the agent; ErrNoAgent if there is none.
func Dial(ctx context.Context, path string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, ErrNoAgent
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, foreign(path)
	}
	return c, err
}
