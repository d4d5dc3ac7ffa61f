package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/watch"
)

func card(uid, name, note string) string {
	return "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:" + uid + "\r\nN:;" + name + ";;;\r\nFN:" + name + "\r\nNOTE:" + note + "\r\nEND:VCARD\r\n"
}

func event(uid, summary string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//alwayson//demo//EN\r\nBEGIN:VEVENT\r\nUID:" + uid +
		"\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260302T090000Z\r\nSUMMARY:" + summary + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

// seed puts sample items on a device.
func seed(dir string) error {
	var errs []error
	for i, name := range []string{"Ana Silva", "Ben Okafor", "Cem Yılmaz", "Dörte Weiß", "Émile Dubois"} {
		uid := fmt.Sprintf("demo-%d", i)
		errs = append(errs, write(dir, fmt.Sprintf("contacts/%s.vcf", uid), card(uid, name, "met at the trade fair")),
			write(dir, fmt.Sprintf("calendar/%s.ics", uid), event("event-"+uid, "Call with "+name)))
	}
	return errors.Join(errs...)
}

func write(dir, name, body string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600)
}

// files is what a device holds, by name.
func files(dir string) map[string]string {
	out := make(map[string]string)
	for _, kind := range kinds {
		root := filepath.Join(dir, string(kind))
		filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error { //nolint:errcheck // what cannot be read is not equal
			if err == nil && !e.IsDir() {
				if body, err := os.ReadFile(path); err == nil {
					rel, _ := filepath.Rel(dir, path)
					out[rel] = string(body)
				}
			}
			return nil
		})
	}
	return out
}

// patience bounds each step of the story.
const patience = 20 * time.Second

// until waits for a condition on files below dir, looking whenever something changes there.
func until(ctx context.Context, dir string, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	wake := make(chan struct{}, 1)
	for _, kind := range kinds {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			watch.Dir(ctx, filepath.Join(dir, string(kind)), func(pim.Hint) { //nolint:errcheck // the time limit tells
				select {
				case wake <- struct{}{}:
				default:
				}
			})
		}()
		defer func() { cancel(); <-ended }()
	}
	for !holds() {
		select {
		case <-wake:
		case <-ctx.Done():
			return errors.New("it did not happen in time")
		}
	}
	return nil
}

// step is one line of the story: something is done, and something must follow by itself.
type step struct {
	title    string
	do       func() error
	on       *device // where to look
	holds    func() bool
	verified string
}

// Once plays the story and prints a line a step. The error is that of the first step that did not hold.
func Once(ctx context.Context, out io.Writer) (err error) {
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	a, err := w.start("laptop")
	if err != nil {
		return err
	}
	b, err := w.start("phone")
	if err != nil {
		return err
	}
	for _, s := range w.story(a, b) {
		start := time.Now()
		err := s.do()
		if err == nil {
			err = until(ctx, s.on.dir, s.holds)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		fmt.Fprintf(out, "ok  %6d ms  %-52s %s\n", time.Since(start).Milliseconds(), s.title, s.verified)
	}
	return nil
}

func (w *world) story(a, b *device) []step {
	equal := func() bool { return maps.Equal(files(a.dir), files(b.dir)) }
	const first = "contacts/demo-0.vcf"

	edited, offline, later := card("demo-0", "Ana Silva", "moved to Porto"), card("off", "Filiz", "while off"), card("down", "Gus", "while the server was down")
	return []step{
		{"first sync of 5 contacts and 5 events", func() error { return seed(a.dir) }, b, func() bool { return len(files(b.dir)) == 10 && equal() }, "both devices equal to the byte"},
		{"a contact is edited on the laptop", func() error { return write(a.dir, first, edited) }, b, func() bool { return files(b.dir)[first] == edited && equal() }, "the phone has the edit"},
		{"an event is deleted on the phone", func() error { return os.Remove(filepath.Join(b.dir, "calendar/demo-1.ics")) }, a, func() bool { return len(files(a.dir)) == 9 && equal() }, "gone from the laptop"},
		{"the laptop is switched off, edited, and switched on", func() error {
			a.agent.Off(w.ctx)
			err := write(a.dir, "contacts/off.vcf", offline)
			a.agent.On(w.ctx)
			return err
		}, b, func() bool { return files(b.dir)["contacts/off.vcf"] == offline && equal() }, "the edit arrived"},
		{"the server is down for 2 s while the laptop is edited", func() error {
			addr := w.url[len("http://"):]
			if err := errors.Join(w.http.Close(), write(a.dir, "contacts/down.vcf", later)); err != nil {
				return err
			}
			select { // longer than the first attempts to reach it take
			case <-time.After(2 * time.Second):
			case <-w.ctx.Done():
			}
			return w.serve(addr)
		}, b, func() bool { return files(b.dir)["contacts/down.vcf"] == later && equal() }, "the edit arrived, nobody did anything"},
	}
}
