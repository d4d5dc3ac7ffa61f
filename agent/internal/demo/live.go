package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/term"
)

// Live runs until ctx ends. On a terminal it shows a table that follows what happens, else a line for each thing that does.
func Live(ctx context.Context, out io.Writer) (err error) {
	w, err := newWorld(ctx)
	defer func() { err = errors.Join(err, w.close()) }()
	if err != nil {
		return err
	}
	if _, err := seed(w.devices[0].dir); err != nil {
		return err
	}
	s := &screen{w: w, out: out, table: isTerminal(out), seen: make(map[string]bool)}
	s.intro()
	s.follow(ctx)
	return nil
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// screen is what a person looks at.
type screen struct {
	w     *world
	out   io.Writer
	table bool
	lines []string        // what happened last
	seen  map[string]bool // versions of items that both devices have had, by path and content
}

func (s *screen) intro() {
	if !s.table {
		fmt.Fprint(s.out, s.heading())
	}
}

func (s *screen) heading() string {
	var b strings.Builder
	b.WriteString("A broker, a server and two devices keep each other equal. Edit, add or delete a file on one and look at the other:\n\n")
	for _, d := range s.w.devices {
		fmt.Fprintf(&b, "  %-7s %s\n", d.name, d.dir)
	}
	b.WriteString("\nCtrl-C ends it and removes the folders.\n\n")
	return b.String()
}

// follow looks again whenever a device says that something changed.
func (s *screen) follow(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wake := make(chan struct{}, 1)
	for _, d := range s.w.devices {
		wg.Go(func() {
			for range d.control.Watch(ctx) {
				select {
				case wake <- struct{}{}:
				default:
				}
			}
		})
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
			s.look()
		}
	}
}

// look tells of items that have come to be the same on both devices since the last time.
func (s *screen) look() {
	a, b := contents(s.w.devices[0].dir), contents(s.w.devices[1].dir)
	var news []string
	for name, body := range a {
		key := name + "\x00" + body
		if b[name] == body && !s.seen[key] {
			s.seen[key] = true
			news = append(news, s.arrival(name))
		}
	}
	for key := range s.seen {
		name, _, _ := strings.Cut(key, "\x00")
		_, onA := a[name]
		_, onB := b[name]
		if !onA && !onB {
			delete(s.seen, key)
			news = append(news, "  gone     "+name)
		}
	}
	sort.Strings(news)
	s.tell(news)
}

// arrival says where an item came from and how long it took: from its saving on one device to its file on the other.
func (s *screen) arrival(name string) string {
	var at [2]time.Time
	for i, d := range s.w.devices {
		if fi, err := os.Stat(filepath.Join(d.dir, filepath.FromSlash(name))); err == nil {
			at[i] = fi.ModTime()
		}
	}
	from, to := 0, 1
	if at[1].Before(at[0]) {
		from, to = 1, 0
	}
	return fmt.Sprintf("%6d ms  %s → %s  %s", at[to].Sub(at[from]).Milliseconds(), s.w.devices[from].name, s.w.devices[to].name, name)
}

func (s *screen) tell(news []string) {
	if !s.table {
		for _, n := range news {
			fmt.Fprintln(s.out, n)
		}
		return
	}
	const height = 14
	s.lines = append(s.lines, news...)
	s.lines = s.lines[max(0, len(s.lines)-height):]
	s.draw()
}

// draw paints the whole table anew.
func (s *screen) draw() {
	var b strings.Builder
	b.WriteString("\x1b[H\x1b[2J" + s.heading())
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprint(w, "\tSTATE\tPUSH")
	for _, kind := range kinds {
		fmt.Fprintf(w, "\t%s", strings.ToUpper(string(kind)))
	}
	fmt.Fprintln(w)
	for _, d := range s.w.devices {
		st := d.status()
		fmt.Fprintf(w, "%s\t%s\t%s", d.name, st.Summary, st.Push.State)
		for _, row := range st.Stores {
			fmt.Fprintf(w, "\t%d%s", row.Items, waiting(row.Pending))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	b.WriteString("\n" + strings.Join(s.lines, "\n") + "\n")
	io.WriteString(s.out, b.String()) //nolint:errcheck // a terminal that is gone ends us by its signal
}

func waiting(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d wait)", n)
}
