package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

// BenchmarkPeers measures our pair and SyncEvolution's one after the other with the same contacts, and what a change costs on the wire:
//
//	BENCH_ITEMS=10000 go test ./test/bench -run '^$' -bench Peers -benchtime 1x -timeout 20m
//
// With the usual 2,000 contacts it takes about a minute, with 10,000 about three.
func BenchmarkPeers(b *testing.B) {
	n := items(b)
	for b.Loop() {
		t := &table{b: b}
		beside(b, t, n)
		onTheWire(b, t, n)
		t.print()
	}
}

// items is how many contacts both pairs have.
func items(b *testing.B) int {
	b.Helper()
	text := os.Getenv("BENCH_ITEMS")
	if text == "" {
		return 2000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= changes[len(changes)-1] {
		b.Fatalf("BENCH_ITEMS is %q, not a number above 100", text)
	}
	return n
}

// changes are how many contacts are new versions in each incremental sync.
var changes = []int{0, 1, 100}

// cost is what one sync takes: time by the clock, and of the processors at both ends.
type cost struct{ wall, client, server time.Duration }

func (c cost) cpu() time.Duration { return c.client + c.server }

func (c cost) String() string {
	return fmt.Sprintf("%s, CPU %s + %s", round(c.wall), round(c.client), round(c.server))
}

// results are the costs of the first sync, and by number of changes those of syncs that are asked for and of those that the agent makes by
// itself.
type results struct {
	first        cost
	asked, alone map[int]cost
}

func beside(b *testing.B, t *table, n int) {
	b.Helper()
	ours := measureOurs(b, n)
	var theirs results
	why := seMissing(b)
	if why == "" {
		theirs = measureSE(b, n)
	}
	t.compare(fmt.Sprintf("slow sync, %d contacts, empty server, with the start of the agent", n), ours.first, theirs.first, why)
	for _, k := range changes {
		t.compare(fmt.Sprintf("%d of %d contacts changed, asked for: all files are looked at", k, n), ours.asked[k], theirs.asked[k], why)
	}
	for _, k := range changes[1:] {
		t.compare(fmt.Sprintf("%d of %d contacts changed, Always-On: from the last file saved", k, n), ours.alone[k], theirs.asked[k], why)
	}
}

// compare adds a row with both costs and their ratio, or why there is none.
func (t *table) compare(what string, ours, theirs cost, why string) {
	const fasterWall, fasterCPU = 25, 10
	if why != "" {
		t.add(what, ours.String(), "", "SyncEvolution not measured: "+why)
		return
	}
	wall, cpu := theirs.wall.Seconds()/ours.wall.Seconds(), theirs.cpu().Seconds()/ours.cpu().Seconds()
	t.add(what, ours.String(), fmt.Sprintf("≥ %d× %s, CPU ≥ %d× %s", fasterWall, tick(wall >= fasterWall), fasterCPU, tick(cpu >= fasterCPU)),
		fmt.Sprintf("SyncEvolution %s: %.0f×, CPU %.0f×", theirs, wall, cpu))
}

func tick(ok bool) string {
	if ok {
		return "✓"
	}
	return "✗"
}

// card is a version of a contact.
func card(i, version int) string {
	body := contact(i, rand.New(rand.NewPCG(uint64(i), 1)))
	return strings.Replace(body, "NOTE:", fmt.Sprintf("TITLE:Version %d\r\nNOTE:", version), 1)
}

// rounds is how often our incremental syncs are measured: they are so short that one alone says little.
const rounds = 5

// measureOurs runs the real agent and server. In the first part Always-On is off, so that each exchange is asked for as from
// SyncEvolution's command line.
func measureOurs(b *testing.B, n int) results {
	b.Helper()
	w := testenv.New(b, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"device"}})
	d := w.Devices[0]
	ready(b, d, 0)
	d.Kill()
	for i := range n {
		put(b, d, i, 1)
	}
	m := stopwatch{b: b, server: w.Server}
	m.start()
	d.Start()
	m.client = d.Process
	ready(b, d, n)
	exchange(b, d, "slow", n)
	out := results{first: m.stop(), asked: map[int]cost{}, alone: map[int]cost{}}
	exchange(b, d, "", 0)
	version := 1
	for _, k := range changes {
		out.asked[k] = median(func() cost {
			version++
			return m.changes(d, k, version, func(time.Time) { exchange(b, d, "", k) })
		})
	}
	d.On()
	inSync(b, d, n, time.Now())
	for _, k := range changes[1:] {
		out.alone[k] = median(func() cost {
			version++
			return m.changes(d, k, version, func(from time.Time) { sent(b, d, k, from) })
		})
	}
	for _, p := range w.Processes() {
		p.Kill() // the other pair has the machine for itself
	}
	return out
}

// median of some rounds.
func median(round func() cost) cost {
	var all []cost
	for range rounds {
		all = append(all, round())
	}
	slices.SortFunc(all, func(x, y cost) int { return int(x.wall - y.wall) })
	return all[len(all)/2]
}

// stopwatch measures our two programs.
type stopwatch struct {
	b              *testing.B
	client, server *testenv.Process // no client: it has not started yet
	at             time.Time
	before         [2]time.Duration
}

func (m *stopwatch) used() (cpu [2]time.Duration) {
	if m.client != nil {
		cpu[0] = used(m.b, m.client.PID())
	}
	cpu[1] = used(m.b, m.server.PID())
	return cpu
}

func (m *stopwatch) start() { m.before, m.at = m.used(), time.Now() }

func (m *stopwatch) stop() cost {
	wall, now := time.Since(m.at), m.used()
	return cost{wall, now[0] - m.before[0], now[1] - m.before[1]}
}

// changes writes new versions of k contacts and waits until they are synchronized. The clock starts when they are written, as it does for
// SyncEvolution; the processors count from before, since the agent looks at files when they change.
func (m *stopwatch) changes(d *testenv.Device, k, version int, wait func(from time.Time)) cost {
	m.start()
	from := m.at
	for i := range k {
		put(m.b, d, i+1, version)
	}
	m.at = time.Now()
	wait(from)
	return m.stop()
}

func put(b *testing.B, d *testenv.Device, i, version int) {
	b.Helper()
	if err := os.WriteFile(filepath.Join(d.Dir, "contacts", vcf(i)), []byte(card(i, version)), 0o600); err != nil {
		b.Fatal(err)
	}
}

// exchange asks for one that sends so many items.
func exchange(b *testing.B, d *testenv.Device, mode string, sent int) control.Exchange {
	b.Helper()
	x, err := d.Control.SyncWith(b.Context(), control.SyncRequest{Wait: true, Mode: mode, Stores: []string{"contacts"}})
	if err != nil || x.Error != "" {
		b.Fatal(err, x.Error)
	}
	if got := x.Stores[0].Sent; got != sent {
		b.Fatalf("the exchange sent %d items, not %d", got, sent)
	}
	return x
}

// sent waits until the agent has sent so many items by itself and returns the last of its exchanges.
func sent(b *testing.B, d *testenv.Device, n int, from time.Time) (x control.Exchange) {
	b.Helper()
	testenv.Ask(b, "the changes were not sent", func(ctx context.Context) error {
		log, err := d.Control.Log(ctx, 20)
		sum := 0
		for _, l := range log {
			if l.At.After(from) && len(l.Stores) > 0 {
				sum += l.Stores[0].Sent
			}
		}
		if err == nil && sum != n {
			return fmt.Errorf("%d of %d are sent", sum, n)
		}
		if err == nil {
			x = log[len(log)-1]
		}
		return err
	})
	return x
}

// used is the processor time of a running process.
func used(b *testing.B, pid int) time.Duration {
	b.Helper()
	const schedulerClock = 2 // CPUCLOCK_SCHED of linux/posix-timers.h
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedulerClock), &ts); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ts.Nano())
}
