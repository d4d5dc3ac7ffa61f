// Package e2e runs the real programs against each other: two agents, the server, and Mosquitto.
package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// kills is how often a process is killed.
const kills = 200

// TestKillsAtRandomMoments is the promise of the product: 200 times one of the four processes is killed with -9 while both devices are
// edited; both devices and the server end up with exactly what was written, with nothing lost, doubled or come back, and without a
// single slow sync.
func TestKillsAtRandomMoments(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts", "notes", "mail"}, Devices: []string{"laptop", "phone"}, Mosquitto: true})
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	u := &users{t: t, w: w, r: rand.New(rand.NewPCG(seed, 1)), want: make(map[string]string)}
	for range 50 {
		u.edit()
	}
	for _, d := range w.Devices {
		d.On()
	}
	w.Converges(u.want)
	for n := range kills {
		for range u.r.IntN(4) {
			u.edit()
		}
		p := w.Processes()[u.r.IntN(4)]
		<-time.After(time.Duration(u.r.IntN(30)) * time.Millisecond) // the moment must not follow from anything
		p.Kill()
		if u.r.IntN(2) == 0 {
			u.edit()
		}
		p.Start()
		if n%25 == 24 {
			w.Converges(u.want)
		}
	}
	w.Converges(u.want)
	for _, d := range w.Devices {
		noSlowSync(t, d)
	}
}

// users edit both devices. Each item belongs to one device, so that it is known what must come out.
type users struct {
	t    *testing.T
	w    *testenv.World
	r    *rand.Rand
	n    int
	want map[string]string // path → bytes
}

func (u *users) edit() {
	d := u.w.Devices[u.r.IntN(2)]
	own := u.own(d)
	switch {
	case len(own) > 5 && u.r.IntN(4) == 0:
		name := own[u.r.IntN(len(own))]
		u.check(os.Remove(filepath.Join(d.Dir, filepath.FromSlash(name))))
		delete(u.want, name)
	case len(own) > 5 && u.r.IntN(2) == 0:
		u.put(d, own[u.r.IntN(len(own))])
	default:
		u.n++
		u.put(d, [...]string{fmt.Sprintf("contacts/%s-%d.vcf", d.Name, u.n), fmt.Sprintf("notes/%s-%d.txt", d.Name, u.n),
			fmt.Sprintf("mail/new/%s-%d", d.Name, u.n)}[u.r.IntN(3)])
	}
}

// own are the items that belong to a device, in an order that follows from the seed.
func (u *users) own(d *testenv.Device) (out []string) {
	for name := range u.want {
		if strings.Contains(name, "/"+d.Name+"-") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// put saves a file as editors do, by a temporary one. Mail is never edited, only delivered.
func (u *users) put(d *testenv.Device, name string) {
	if _, there := u.want[name]; there && strings.HasPrefix(name, "mail/") {
		return
	}
	u.n++
	body := fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\nFN:Edit %d\r\nNOTE:%s\r\nEND:VCARD\r\n", name, u.n, strings.Repeat("x", u.r.IntN(3000)))
	if strings.HasPrefix(name, "mail/") {
		body = fmt.Sprintf("Message-ID: <%s@e2e>\r\nSubject: %d\r\n\r\n%s\r\n", name, u.n, strings.Repeat("y", u.r.IntN(30000)))
	}
	temp := filepath.Join(d.Dir, fmt.Sprintf("%d.tmp", u.n))
	u.check(os.WriteFile(temp, []byte(body), 0o600))
	u.check(os.Rename(temp, filepath.Join(d.Dir, filepath.FromSlash(name))))
	u.want[name] = body
}

func (u *users) check(err error) {
	u.t.Helper()
	if err != nil {
		u.t.Fatal(err)
	}
}

// noSlowSync looks through the log of a device: after the first exchange every one is two-way.
func noSlowSync(t *testing.T, d *testenv.Device) {
	t.Helper()
	list, err := d.Control.Log(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	synced, slow := 0, 0
	for _, x := range list {
		if x.Error != "" || len(x.Stores) == 0 {
			continue
		}
		if synced++; synced > 1 && x.Stores[0].Alert != 200 {
			slow++
			t.Logf("%s: %+v", d.Name, x)
		}
	}
	t.Logf("%s: %d exchanges, %d of them without error", d.Name, len(list), synced)
	if slow > 0 || synced < 20 {
		t.Errorf("%s: %d slow syncs in %d exchanges", d.Name, slow, synced)
	}
}
