// Package terminal lets a person type a line or a secret to a program, and leave it with Ctrl-C.
package terminal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/moby/term"
)

// Input is where a program is told something: by a person at a terminal, or by a file or a pipe.
type Input struct {
	*bufio.Reader
	fd     uintptr
	person bool
}

// New reads from in, which stays the caller's. At a terminal a read ends as soon as ctx does: a program that takes the signal of Ctrl-C itself would else
// wait for the line that nobody types any more.
func New(ctx context.Context, in io.Reader) *Input {
	f, isFile := in.(*os.File)
	if !isFile || !term.IsTerminal(f.Fd()) {
		return &Input{Reader: bufio.NewReader(in)}
	}
	return &Input{Reader: bufio.NewReader(&reader{ctx: ctx, from: f, came: make(chan chunk, 1)}), fd: f.Fd(), person: true}
}

// Person tells whether there is one who can be asked.
func (i *Input) Person() bool { return i.person }

// Secret reads a line without its end. A person sees the prompt on screen, and nothing of what he types from then on: a terminal echoes what comes before it
// is told not to, and who pastes, or a program that types, is fast.
func (i *Input) Secret(screen io.Writer, prompt string) (secret string, err error) {
	if i.person {
		was, err := term.SaveState(i.fd)
		if err != nil {
			return "", err
		}
		if err := term.DisableEcho(i.fd, was); err != nil {
			return "", err
		}
		defer func() {
			_ = term.RestoreTerminal(i.fd, was) // a terminal that went away needs none
			fmt.Fprintln(screen)
		}()
		fmt.Fprint(screen, prompt)
	}
	line, err := i.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

// reader is a terminal whose reads end with a context.
type reader struct {
	ctx  context.Context
	from io.Reader
	came chan chunk
	asks bool
	rest []byte
}

type chunk struct {
	data []byte
	err  error
}

func (r *reader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// next waits for what is typed. A read of a terminal cannot be taken back: the one that is under way when the context ends lasts as long as the program.
func (r *reader) next() error {
	if !r.asks {
		r.asks = true
		go func() {
			b := make([]byte, 4096)
			n, err := r.from.Read(b)
			r.came <- chunk{b[:n], err}
		}()
	}
	select {
	case c := <-r.came:
		r.asks, r.rest = false, c.data
		if len(c.data) > 0 {
			return nil
		}
		return c.err
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}
