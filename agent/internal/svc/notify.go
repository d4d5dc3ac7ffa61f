package svc

import (
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

// Notifier tells systemd how the agent is (sd_notify(3)). Without systemd it does nothing.
type Notifier struct {
	conn net.Conn      // nil without systemd
	dog  time.Duration // how long it waits for a sign of life, 0 for ever

	mu  sync.Mutex
	fed time.Time // guarded by mu
}

// NewNotifier learns from the environment whether systemd listens.
func NewNotifier() *Notifier {
	n := &Notifier{}
	path := os.Getenv("NOTIFY_SOCKET") // a name that begins with @ is an abstract one, for package net, too
	if path == "" {
		return n
	}
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		return n
	}
	n.conn = conn
	if pid := os.Getenv("WATCHDOG_PID"); pid == "" || pid == strconv.Itoa(os.Getpid()) {
		usec, _ := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
		n.dog = time.Duration(max(usec, 0)) * time.Microsecond
	}
	return n
}

// Ready: the agent works, and answers on its socket.
func (n *Notifier) Ready() { n.send("READY=1\nSTATUS=The agent runs; alwayson status tells more") }

// Stopping: it ends because it was told to.
func (n *Notifier) Stopping() { n.send("STOPPING=1\nSTATUS=The agent stops; the session stays open") }

// Pulse is how often Alive must be called, 0 if nobody waits for it.
func (n *Notifier) Pulse() time.Duration { return n.dog / 3 }

// Alive feeds the watchdog. It may be called far more often than that.
func (n *Notifier) Alive() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := time.Now(); n.dog > 0 && now.Sub(n.fed) >= n.dog/10 {
		n.fed = now
		n.send("WATCHDOG=1")
	}
}

// send loses a message that cannot be sent: systemd waits for the next one.
func (n *Notifier) send(state string) {
	if n.conn != nil {
		n.conn.Write([]byte(state)) //nolint:errcheck // see above
	}
}
