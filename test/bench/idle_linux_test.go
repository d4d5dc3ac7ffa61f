package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// BenchmarkIdle measures what an agent costs that has nothing to do: how often it wakes, and what goes over the network, headers and all, for as
// long as BENCH_IDLE says. It runs in a network namespace, so that nobody else's octets are counted.
//
//	BENCH_IDLE=1h go test ./test/bench -run '^$' -bench Idle -benchtime 1x -timeout 2h
func BenchmarkIdle(b *testing.B) {
	if os.Getenv("IDLE_INSIDE") == "" {
		cmd := testenv.InNamespace(b, "IDLE_INSIDE=1")
		cmd.Args = []string{os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkIdle$", "-test.benchtime=1x", "-test.timeout=0"}
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		return
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		b.Fatal(err, string(out))
	}
	t := &table{b: b}
	asleep(b, t)
	t.print()
}

const (
	serverAlone = 5 * time.Minute
	pahoWakes   = 720 // an hour: it looks every five seconds whether it is time for a ping
)

func asleep(b *testing.B, t *table) {
	long, err := time.ParseDuration(os.Getenv("BENCH_IDLE"))
	if err != nil {
		long = 10 * time.Minute
	}
	w := testenv.New(b, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	ready(b, d, 0)
	d.Kill()
	write(b, filepath.Join(d.Dir, "contacts"), manyContacts, vcf, contact)
	octets := loopback(b)
	<-time.After(serverAlone)
	server := float64(loopback(b)-octets) / serverAlone.Hours() // with its own broker
	d.Start()
	ready(b, d, manyContacts)
	d.On()
	inSync(b, d, manyContacts, time.Now())
	<-time.After(time.Minute) // what follows work is none of it
	octets = loopback(b)
	wakes := float64(wakeUps(b, d, long)) / long.Hours()
	all := float64(loopback(b)-octets) / long.Hours()
	t.add("idle agent, 10,000 items: wake-ups an hour, of them besides Paho's keep-alive", fmt.Sprintf("%.0f, %.0f", wakes, wakes-pahoWakes), "≤ 12", long.String()+" measured")
	t.add("idle agent: network, all octets of all packets, both ways", fmt.Sprintf("%.1f KB/h", (all-server)/1000), "≤ 20 KB/h", "")
	t.add("idle agent: memory (RSS, of it anonymous)", mb(d, "VmRSS")+", "+mb(d, "RssAnon"), "≤ 25 MB", "")
}

// wakeUps counts how often a process runs: what it does within a tenth of a second is one time.
func wakeUps(b *testing.B, p interface{ PID() int }, long time.Duration) (n int) {
	b.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	before, ran := switches(b, p), false
	for end := time.Now().Add(long); time.Now().Before(end); <-tick.C {
		now := switches(b, p)
		if now != before && !ran {
			n++
			if os.Getenv("IDLE_SHOW") != "" {
				fmt.Fprintln(os.Stderr, "wakes", time.Now().Format(time.TimeOnly), now-before)
			}
		}
		before, ran = now, now != before
	}
	return n
}

// loopback is how many octets have gone over the namespace's loopback interface.
func loopback(b *testing.B) int {
	b.Helper()
	text, err := os.ReadFile("/proc/net/dev")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, rest, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "lo" {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatal("there is no loopback interface")
	return 0
}
