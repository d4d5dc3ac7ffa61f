package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
)

// patience bounds each step of the story.
const patience = 20 * time.Second

// step is one line of the story: something is done, and something must follow by itself.
type step struct {
	title    string
	do       func(context.Context) error
	holds    func() bool
	verified string
}

// Once plays the story and prints a line a step. The error is that of the first step that did not hold.
func Once(ctx context.Context, out io.Writer) (err error) {
	w, err := newWorld(ctx)
	defer func() { err = errors.Join(err, w.close()) }()
	if err != nil {
		return err
	}
	begin := time.Now()
	for _, s := range w.story() {
		start := time.Now()
		err := s.do(ctx)
		if err == nil {
			err = w.until(ctx, s.holds)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
		fmt.Fprintf(out, "ok %7d ms  %-58s %s\n", time.Since(start).Milliseconds(), s.title, s.verified)
	}
	fmt.Fprintf(out, "all of it held, in %.1f s\n", time.Since(begin).Seconds())
	return nil
}

// until waits for a condition, looking whenever a device says that something changed.
func (w *world) until(ctx context.Context, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wake := make(chan struct{}, 1)
	for _, d := range w.devices {
		wg.Go(func() {
			for range d.control.Watch(ctx) {
				select {
				case wake <- struct{}{}:
				default:
				}
			}
		})
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

// status of a device; the zero Status if it does not answer, which holds nowhere.
func (d *device) status() control.Status {
	s, err := d.control.Status(context.Background())
	if err != nil {
		return control.Status{}
	}
	return s
}

// equal tells whether both devices and the server hold the same, and know it.
func (w *world) equal() bool {
	a, b := w.devices[0], w.devices[1]
	sa, sb := a.status(), b.status()
	return sa.InSync() && sb.InSync() && maps.Equal(contents(a.dir), contents(b.dir)) && maps.Equal(contents(a.dir), w.served())
}

// served is what the server holds, as a device would lay it out.
func (w *world) served() map[string]string {
	out := make(map[string]string)
	w.site.Store().View(context.Background(), func(tx dsstore.Tx) error { //nolint:errcheck // what cannot be read is not equal
		for _, kind := range kinds {
			err := dsstore.Each(tx, dsstore.Collection{User: user, Store: string(kind)}, func(it dsstore.Item, body []byte) error {
				out[layOut(kind, it)] = string(body)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out
}

func layOut(kind pim.Kind, it dsstore.Item) string {
	switch {
	case kind != pim.Mail:
		return string(kind) + "/" + it.Name
	case it.Flags == "":
		return "mail/new/" + it.Name
	}
	return "mail/cur/" + it.Name + ":2," + string(it.Flags)
}

const newMail = "From: Dispatch <dispatch@fleet.example>\r\nTo: driver7@fleet.example\r\nSubject: Tour 1184: stop 5 added\r\n" +
	"Message-ID: <1764000099.demo@demo.example>\r\nDate: Tue, 24 Nov 2026 06:40:00 +0000\r\n\r\nPorto Freight, north yard, gate 3, 16:10.\r\n"

// story is what happens. The laptop is edited most of the time, the phone is looked at.
func (w *world) story() []step {
	laptop, phone := w.devices[0], w.devices[1]
	holds := func(d *device, name, body string) func() bool {
		return func() bool { got, ok := contents(d.dir)[name]; return ok && got == body && w.equal() }
	}
	const ana, review = "contacts/ana-silva.vcf", "calendar/route-review.ics"
	moved := sample(ana, "Met at the trade fair", "Moved to Lisbon")
	waited := sample(ana, "Met at the trade fair", "Called while Always-On was off")
	unpushed := sample(review, "Route review", "Route review (room 2)")
	offline := sample("notes/van-7.txt", "0.3 bar", "0.4 bar")
	read := "mail/cur/1764000002.M2.demo" + readMark
	sessions := [2]string{}
	count := 0
	return []step{
		{"first sync: contacts, calendar, tasks, notes and mail", func(context.Context) (err error) { count, err = seed(laptop.dir); return err },
			func() bool { return len(contents(phone.dir)) == count && w.equal() }, "all items on all three, to the byte"},
		{"a contact is edited on the laptop", func(context.Context) error { return write(laptop.dir, ana, moved) },
			holds(phone, ana, moved), "the phone has it"},
		{"new mail comes to the server", w.deliver, func() bool { return has(laptop, newMail) && has(phone, newMail) && w.equal() }, "both devices have it"},
		{"a mail is read on the phone", func(context.Context) error {
			return os.Rename(filepath.Join(phone.dir, "mail/new/1764000002.M2.demo"), filepath.Join(phone.dir, filepath.FromSlash(read)))
		}, func() bool { _, ok := contents(laptop.dir)[read]; return ok && w.equal() }, "read on the laptop, too; only the mark travelled"},
		{"an event is deleted on the phone", func(context.Context) error { return os.Remove(filepath.Join(phone.dir, "calendar/team-lunch.ics")) },
			func() bool { _, ok := contents(laptop.dir)["calendar/team-lunch.ics"]; return !ok && w.equal() }, "gone from the laptop"},
		{"the laptop is switched off and edited", func(ctx context.Context) error {
			_, err := laptop.control.Off(ctx)
			return errors.Join(err, write(laptop.dir, ana, waited))
		}, func() bool {
			s := laptop.status()
			return s.State == "off" && s.Running == "" && s.Stores[0].Pending == 1 && contents(phone.dir)[ana] == moved
		}, "the session is closed, the edit waits"},
		{"the laptop is switched on", func(ctx context.Context) error { _, err := laptop.control.On(ctx); return err },
			holds(phone, ana, waited), "the phone has the edit"},
		{"the broker goes down and the laptop is edited", func(context.Context) error {
			w.site.StopBroker()
			return write(laptop.dir, review, unpushed)
		}, func() bool {
			s := laptop.status()
			return s.InSync() && phone.status().Push.State != "connected" && contents(phone.dir)[review] != unpushed
		}, "the server has the edit, the phone knows nothing"},
		{"the broker comes back", func(context.Context) error { return w.site.StartBroker() }, holds(phone, review, unpushed), "the phone looked by itself"},
		{"the server goes down for good and the laptop is edited", func(context.Context) error {
			sessions = [2]string{id(laptop), id(phone)}
			return errors.Join(w.site.StopHTTP(), write(laptop.dir, "notes/van-7.txt", offline))
		}, func() bool { return lost(laptop) }, "permanent loss recognised, session destroyed, the edit waits"},
		{"the server comes back", func(context.Context) error { return w.site.StartHTTP() }, func() bool {
			return holds(phone, "notes/van-7.txt", offline)() && id(laptop) != sessions[0] && id(laptop) != ""
		}, "new session, incremental sync, nobody did anything"},
	}
}

func (w *world) deliver(ctx context.Context) error {
	_, err := w.site.Server().Put(ctx, dsstore.Collection{User: user, Store: "mail"}, "",
		pim.Item{Type: pim.TypeMessage, Name: "1764000099.M9.demo", Body: []byte(newMail)})
	return err
}

func has(d *device, body string) bool {
	for name, got := range contents(d.dir) {
		if strings.HasPrefix(name, "mail/") && got == body {
			return true
		}
	}
	return false
}

func id(d *device) string {
	if s := d.status().Session; s != nil {
		return s.ID
	}
	return ""
}

func lost(d *device) bool {
	s := d.status()
	return s.State == "lost" && s.Session == nil && s.Ended != nil && s.Ended.Ending == "destroyed" && s.Stores[3].Pending == 1
}
