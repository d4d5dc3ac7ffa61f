// Package bench measures the real programs and prints a table with the goals and the machine's own limit beside each figure:
//
//	go test ./test/bench -run '^$' -bench Table -benchtime 1x -timeout 20m
package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// row is one line of the table.
type row struct{ what, figure, goal, ratio string }

// table collects what was measured.
type table struct {
	b    *testing.B
	rows []row
}

func (t *table) add(what, figure, goal, ratio string) {
	t.rows = append(t.rows, row{what, figure, goal, ratio})
}

// timed adds a duration with its goal.
func (t *table) timed(what string, d, goal time.Duration, ratio string) {
	mark := "✓"
	if d > goal {
		mark = "✗"
	}
	t.add(what, round(d), "≤ "+round(goal)+" "+mark, ratio)
}

func round(d time.Duration) string {
	switch {
	case d > 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d > time.Second:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

func (t *table) print() {
	fmt.Printf("\n%s, %d CPUs, %s\n\n| work | measured | goal | beside |\n|---|---|---|---|\n", runtime.GOOS+"/"+runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	for _, r := range t.rows {
		fmt.Printf("| %s | %s | %s | %s |\n", r.what, r.figure, r.goal, r.ratio)
	}
	fmt.Println()
}

// BenchmarkTable measures everything once. It takes about a minute.
func BenchmarkTable(b *testing.B) {
	for b.Loop() {
		t := &table{b: b}
		contacts(b, t)
		mails(b, t)
		t.print()
	}
}

const manyContacts, manyMails = 10_000, 5_000

// write makes files and returns what they hold in all.
func write(b *testing.B, dir string, n int, name func(int) string, body func(int, *rand.Rand) string) (total int64) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		text := body(i, r)
		total += int64(len(text))
		if err := os.WriteFile(filepath.Join(dir, name(i)), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return total
}

func vcf(i int) string { return strconv.Itoa(i) + ".vcf" }

// contact has 300 to 800 octets, and one in a hundred a photo of 20 KB.
func contact(i int, r *rand.Rand) string {
	photo := ""
	if i%100 == 0 {
		photo = "PHOTO;ENCODING=b;TYPE=JPEG:" + strings.Repeat("QUJD", 5000) + "\r\n"
	}
	return fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%d@bench.example\r\nN:Last%d;First%d;;;\r\nFN:First%d Last%d\r\nTEL;TYPE=CELL:+49 170 %07d\r\n"+
		"EMAIL:first%d.last%d@bench.example\r\nORG:Bench %d\r\n%sNOTE:%s\r\nEND:VCARD\r\n", i, i, i, i, i, i, i, i, i%300, photo, strings.Repeat("n", 80+r.IntN(500)))
}

// mail has some 6 KB, and one in ten an attachment of 50 to 500 KB.
func mail(i int, r *rand.Rand) string {
	size := 3000 + r.IntN(6000)
	if i%10 == 0 {
		size = 50_000 + r.IntN(450_000)
	}
	return fmt.Sprintf("From: a%d@bench.example\r\nTo: b@bench.example\r\nSubject: Message %d\r\nMessage-ID: <%d@bench.example>\r\n"+
		"Date: Mon, 23 Nov 2026 08:15:00 +0000\r\n\r\n%s\r\n", i, i, i, strings.Repeat("All work and no play.\r\n", size/23))
}

// inSync waits until the device is and has so many items in its first store, and returns how long that took.
func inSync(b *testing.B, d *testenv.Device, items int, start time.Time) time.Duration {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	defer cancel()
	for s, err := range d.Control.Watch(ctx) {
		if err != nil {
			b.Fatal(err)
		}
		if s.InSync() && s.Stores[0].Items == items {
			return time.Since(start)
		}
	}
	b.Fatal("it did not come to be in sync")
	return 0
}

// ready waits until a device's agent has looked at its stores.
func ready(b *testing.B, d *testenv.Device, items int) {
	b.Helper()
	testenv.Ask(b, "the agent is not ready", func(ctx context.Context) error {
		s, err := d.Control.Status(ctx)
		if err == nil && s.Stores[0].Items != items {
			err = fmt.Errorf("%d items", s.Stores[0].Items)
		}
		return err
	})
}

func contacts(b *testing.B, t *table) {
	w := testenv.New(b, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"up", "down"}})
	up, down := w.Devices[0], w.Devices[1]
	ready(b, up, 0)
	up.Kill()
	bytes := write(b, filepath.Join(up.Dir, "contacts"), manyContacts, vcf, contact)
	start := time.Now()
	up.Start()
	ready(b, up, manyContacts)
	t.timed("start with 10,000 unknown contacts (read and hash)", time.Since(start), 2*time.Second, "")
	start = time.Now()
	up.On()
	first := inSync(b, up, manyContacts, start)
	t.timed("first sync up, 10,000 contacts, durable", first, 2*time.Second, fmt.Sprintf("%.0f× faster than SyncEvolution's 58 s", 58/first.Seconds()))
	floor := floorOf(b, filepath.Join(up.Dir, "contacts"))
	start = time.Now()
	down.On()
	took := inSync(b, down, manyContacts, start)
	t.timed("first sync down, 10,000 contacts, durable", took, floor*5/2, fmt.Sprintf("%.2f× the floor of %s (tmp, rename, one syncfs; %.1f MB)",
		took.Seconds()/floor.Seconds(), round(floor), float64(bytes)/1e6))
	t.add("peak memory: up, down, server", mb(up, "VmHWM")+", "+mb(down, "VmHWM")+", "+mb(w.Server, "VmHWM"), "≤ 100 MB in a full sync", "")
	quiet(b, t, up, "no change, 10,000 contacts", 50*time.Millisecond)
	verify(b, t, up, 100*time.Millisecond)
	latency(b, t, up, down)
	idle(b, t, up)
}

// floorOf is what the machine needs for the same files: a temporary file and a rename each, and one syncfs.
func floorOf(b *testing.B, from string) time.Duration {
	b.Helper()
	to := b.TempDir()
	names, err := os.ReadDir(from)
	if err != nil {
		b.Fatal(err)
	}
	unix.Sync() // what others left to be written is not ours
	start := time.Now()
	for _, e := range names {
		body, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			b.Fatal(err)
		}
		temp := filepath.Join(to, ".tmp-"+e.Name())
		if err := os.WriteFile(temp, body, 0o600); err != nil {
			b.Fatal(err)
		}
		if err := os.Rename(temp, filepath.Join(to, e.Name())); err != nil {
			b.Fatal(err)
		}
	}
	d, err := os.Open(to)
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	if err := unix.Syncfs(int(d.Fd())); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// quiet measures an exchange that finds nothing to do, as the agent makes it after a trigger.
func quiet(b *testing.B, t *table, d *testenv.Device, what string, goal time.Duration) {
	b.Helper()
	var all []time.Duration
	var x control.Exchange
	for range 20 {
		var err error
		if x, err = d.Control.Sync(b.Context(), true); err != nil || x.Error != "" {
			b.Fatal(x.Error, err)
		}
		all = append(all, x.Took)
	}
	slices.Sort(all)
	t.timed(what+" (exchange, p50)", all[len(all)/2], goal, fmt.Sprintf("%d round trip, %d + %d octets", x.RoundTrips, x.BytesOut, x.BytesIn))
}

// verify measures a comparison of both sides that finds them equal.
func verify(b *testing.B, t *table, d *testenv.Device, goal time.Duration) {
	b.Helper()
	var all []time.Duration
	var v control.Verification
	for range 10 {
		list, err := d.Control.Verify(b.Context())
		if err != nil || len(list) != 1 || len(list[0].Differ) > 0 {
			b.Fatal(list, err)
		}
		v = list[0]
		all = append(all, v.Took)
	}
	slices.Sort(all)
	t.timed("verify of 10,000 equal contacts, p50", all[len(all)/2], goal, fmt.Sprintf("%d round trips, %d octets (≤ 4 KB)", v.RoundTrips, v.Bytes))
}

// latency measures from the saving of a file to the same bytes on the other device.
func latency(b *testing.B, t *table, from, to *testenv.Device) {
	b.Helper()
	w, err := fsnotify.NewWatcher()
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	if err := w.Add(filepath.Join(to.Dir, "contacts")); err != nil {
		b.Fatal(err)
	}
	var all []time.Duration
	for i := range 100 {
		body := contact(i+1, rand.New(rand.NewPCG(uint64(i), 9))) + " "
		start := time.Now()
		if err := os.WriteFile(filepath.Join(from.Dir, "contacts", vcf(i+1)), []byte(body), 0o600); err != nil {
			b.Fatal(err)
		}
		for target := filepath.Join(to.Dir, "contacts", vcf(i+1)); ; {
			if got, err := os.ReadFile(target); err == nil && string(got) == body {
				break
			}
			select {
			case <-w.Events:
			case <-time.After(10 * time.Second):
				b.Fatal("the edit did not arrive")
			}
		}
		all = append(all, time.Since(start))
	}
	slices.Sort(all)
	t.timed("local edit → file on the other device, p50", all[50], 80*time.Millisecond, "IMAP IDLE + mbsync: 1.18 s one way")
	t.timed("local edit → file on the other device, p95", all[95], 150*time.Millisecond, "")
}

// idle measures an agent that has nothing to do.
func idle(b *testing.B, t *table, d *testenv.Device) {
	b.Helper()
	d.Kill()
	d.Start()
	ready(b, d, manyContacts)
	inSync(b, d, manyContacts, time.Now())
	const long = 20 * time.Second
	<-time.After(5 * time.Second) // the garbage of the start
	before := switches(b, d)
	<-time.After(long)
	perSecond := float64(switches(b, d)-before) / long.Seconds()
	t.add("idle agent, 10,000 items: memory (RSS, of it anonymous)", mb(d, "VmRSS")+", "+mb(d, "RssAnon"), "≤ 30 MB", "SyncEvolution 61–66 MB")
	t.add("idle agent: context switches", fmt.Sprintf("%.1f/s", perSecond), "≤ 10/s", "")
}

// proc is a field of /proc/PID/status.
func proc(path, field string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && name == field {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func mb(p interface{ PID() int }, field string) string {
	kb, _ := strconv.Atoi(strings.TrimSuffix(proc(fmt.Sprintf("/proc/%d/status", p.PID()), field), " kB"))
	return fmt.Sprintf("%.1f MB", float64(kb)/1024)
}

func switches(b *testing.B, p interface{ PID() int }) (n int) {
	b.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.PID()))
	if err != nil {
		b.Fatal(err)
	}
	for _, task := range tasks {
		for _, field := range []string{"voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"} {
			v, _ := strconv.Atoi(proc(task, field))
			n += v
		}
	}
	return n
}

func mails(b *testing.B, t *table) {
	w := testenv.New(b, testenv.Options{Stores: []string{"mail"}, Devices: []string{"up", "down"}})
	up, down := w.Devices[0], w.Devices[1]
	ready(b, up, 0)
	up.Kill()
	bytes := write(b, filepath.Join(up.Dir, "mail/cur"), manyMails, func(i int) string { return fmt.Sprintf("%d.M%d.bench:2,S", 1_700_000_000+i, i) }, mail)
	up.Start()
	ready(b, up, manyMails)
	start := time.Now()
	up.On()
	first := inSync(b, up, manyMails, start)
	t.add("first sync up, 5,000 mails, durable", round(first), "", fmt.Sprintf("%.0f MB, %.0f MB/s", float64(bytes)/1e6, float64(bytes)/1e6/first.Seconds()))
	start = time.Now()
	down.On()
	t.timed("first sync down, 5,000 mails, durable", inSync(b, down, manyMails, start), 8*time.Second, "mbsync with fsync 6.9 s")
	t.add("peak memory with mail: up, down, server", mb(up, "VmHWM")+", "+mb(down, "VmHWM")+", "+mb(w.Server, "VmHWM"), "", "")
	quiet(b, t, down, "no change, 5,000 mails", 30*time.Millisecond)
}
