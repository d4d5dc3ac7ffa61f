// Package crash keeps what the program says when it crashes, so that the reason is known when it runs again.
package crash

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
)

// Files in the state folder. The runtime writes the first one; what is in it when the agent starts becomes the second one.
const (
	running = "crash.new"
	former  = "crash.txt"
)

// Crash is an end that nobody wanted.
type Crash struct {
	At     time.Time
	Reason string // one line, for instance of a panic
	File   string // where all of it is
}

// Record lets the runtime write in dir what it says of a crash of this program, and keeps what it said of the last one.
func Record(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, running)
	if fi, err := os.Stat(path); err == nil && fi.Size() > 0 {
		if err := os.Rename(path, filepath.Join(dir, former)); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(debug.SetCrashOutput(f, debug.CrashOptions{}), f.Close())
}

// Last is the last crash of which dir knows, nil if there was none.
func Last(dir string) (*Crash, error) {
	for _, name := range []string{running, former} {
		c, err := read(filepath.Join(dir, name))
		if c != nil || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
	}
	return nil, nil
}

func read(path string) (*Crash, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil || fi.Size() == 0 {
		return nil, err
	}
	lines := bufio.NewScanner(f)
	lines.Scan()
	return &Crash{At: fi.ModTime(), Reason: line(lines.Text()), File: path}, lines.Err()
}

// longest is as much of a reason as a line can bear. A panic may quote what it choked on.
const longest = 200

func line(text string) string {
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return strings.TrimSpace(text)
}
