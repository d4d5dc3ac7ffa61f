package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// kills is how often a process is killed.
const kills = 200

// TestKillsAtRandomMoments is the promise of the product: 200 times one of the four processes is killed with -9 while both devices are
// edited; both devices and the server end up with exactly what was written, with nothing lost, doubled or come back, and without a
// single slow sync.
func TestKillsAtRandomMoments(t *testing.T) {
	w := newWorld(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	u := &users{t: t, w: w, r: rand.New(rand.NewPCG(seed, 1)), want: make(map[string]string)}
	w.want = u.want
	for range 50 {
		u.edit()
	}
	for _, d := range w.devices {
		d.on(t)
	}
	w.converges(u.want)
	for n := range kills {
		for range u.r.IntN(4) {
			u.edit()
		}
		p := w.all()[u.r.IntN(4)]
		<-time.After(time.Duration(u.r.IntN(30)) * time.Millisecond) // the moment must not follow from anything
		p.kill()
		if u.r.IntN(2) == 0 {
			u.edit()
		}
		p.start(t)
		if n%25 == 24 {
			w.converges(u.want)
		}
	}
	w.converges(u.want)
	w.noSlowSync()
}

// users edit both devices. Each item belongs to one device, so that it is known what must come out.
type users struct {
	t    *testing.T
	w    *world
	r    *rand.Rand
	n    int
	want map[string]string // path → bytes
}

func (u *users) edit() {
	d := u.w.devices[u.r.IntN(2)]
	own := u.own(d)
	switch {
	case len(own) > 5 && u.r.IntN(4) == 0:
		name := own[u.r.IntN(len(own))]
		u.check(os.Remove(filepath.Join(d.dir, filepath.FromSlash(name))))
		delete(u.want, name)
	case len(own) > 5 && u.r.IntN(2) == 0:
		u.put(d, own[u.r.IntN(len(own))])
	default:
		u.n++
		u.put(d, [...]string{fmt.Sprintf("contacts/%s-%d.vcf", d.name, u.n), fmt.Sprintf("notes/%s-%d.txt", d.name, u.n),
			fmt.Sprintf("mail/new/%s-%d", d.name, u.n)}[u.r.IntN(3)])
	}
}

// own are the items of a device, in an order that the seed decides.
func (u *users) own(d *device) (out []string) {
	for name := range u.want {
		if strings.Contains(name, "/"+d.name+"-") {
			out = append(out, name)
		}
	}
	return out
}

// put saves a file as editors do, by a temporary one. Mail is never edited, only delivered.
func (u *users) put(d *device, name string) {
	if _, there := u.want[name]; there && strings.HasPrefix(name, "mail/") {
		return
	}
	u.n++
	body := fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\nFN:Edit %d\r\nNOTE:%s\r\nEND:VCARD\r\n", name, u.n, strings.Repeat("x", u.r.IntN(3000)))
	if strings.HasPrefix(name, "mail/") {
		body = fmt.Sprintf("Message-ID: <%s@e2e>\r\nSubject: %d\r\n\r\n%s\r\n", name, u.n, strings.Repeat("y", u.r.IntN(30000)))
	}
	path := filepath.Join(d.dir, filepath.FromSlash(name))
	temp := filepath.Join(d.dir, fmt.Sprintf("%d.tmp", u.n))
	u.check(os.WriteFile(temp, []byte(body), 0o600))
	u.check(os.Rename(temp, path))
	u.want[name] = body
}

func (u *users) check(err error) {
	u.t.Helper()
	if err != nil {
		u.t.Fatal(err)
	}
}

// converges waits until both devices and the server hold exactly what was written.
func (w *world) converges(want map[string]string) {
	w.t.Helper()
	ask(w.t, "not equal", func(ctx context.Context) error {
		for _, d := range w.devices {
			if got := d.contents(w.t); !maps.Equal(got, want) {
				return fmt.Errorf("%s: %s", d.name, difference(got, want))
			}
			if s, err := d.c.Status(ctx); err != nil || !s.InSync() {
				return fmt.Errorf("%s is not in sync: %s, %w", d.name, s.Summary, errors.Join(err))
			}
		}
		return w.serverHolds(ctx, want)
	})
}

func difference(got, want map[string]string) string {
	var out []string
	for name, body := range want {
		if g, ok := got[name]; !ok {
			out = append(out, name+" is missing")
		} else if g != body {
			out = append(out, name+" is another version")
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			out = append(out, name+" is too much")
		}
	}
	return strings.Join(out[:min(len(out), 5)], ", ")
}

func (w *world) serverHolds(ctx context.Context, want map[string]string) error {
	store, err := site.OpenStore(ctx, filepath.Join(w.dir, "server"))
	if err != nil {
		return err
	}
	defer store.Close()
	got := make(map[string]string)
	err = store.View(ctx, func(tx dsstore.Tx) error {
		for _, s := range stores {
			items, err := tx.List(dsstore.Collection{User: "ana", Store: s})
			if err != nil {
				return err
			}
			for _, it := range items {
				body, err := tx.Body(it.Hash)
				if err != nil {
					return err
				}
				name := s + "/" + it.Name
				if s == "mail" {
					name = "mail/new/" + it.Name
				}
				got[name] += string(body) // a double shows
			}
		}
		return nil
	})
	if err == nil && !maps.Equal(got, want) {
		err = fmt.Errorf("server: %s", difference(got, want))
	}
	return err
}

// noSlowSync looks through the log of both devices: after the first exchange every one is two-way.
func (w *world) noSlowSync() {
	w.t.Helper()
	for _, d := range w.devices {
		list, err := d.c.Log(w.t.Context(), 0)
		if err != nil {
			w.t.Fatal(err)
		}
		synced, slow := 0, 0
		for _, x := range list {
			if x.Error != "" || len(x.Stores) == 0 {
				continue
			}
			if synced++; synced > 1 && x.Stores[0].Alert != 200 {
				slow++
				w.t.Logf("%s: %+v", d.name, x)
			}
		}
		w.t.Logf("%s: %d exchanges, %d of them without error", d.name, len(list), synced)
		if slow > 0 || synced < 20 {
			w.t.Errorf("%s: %d slow syncs in %d exchanges", d.name, slow, synced)
		}
	}
}
