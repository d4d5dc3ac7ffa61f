// Package trigger listens for the server's notifications on the broker and turns them into wishes for an exchange. They are hints: each
// is checked for where it comes from, and each reconnect counts as one, because the broker may have lost some.
package trigger

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/notify"
	"github.com/alwayson-sync/alwayson/ds/san"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/mqtt"
	"github.com/alwayson-sync/alwayson/mqtt/pahoclient"
)

// Options of a Listener. All but Brokers, Reached, Dial, TLS, Refused, Held, KeepAlive, MinPause, MaxPause and Log must be set.
type Options struct {
	Broker, Prefix, Device string
	// Brokers, Reached, Dial and KeepAlive are those of mqtt.Config.
	Brokers   func() []string
	Reached   func(broker string)
	Dial      func(ctx context.Context, addr string, secure bool) (net.Conn, error)
	KeepAlive time.Duration
	User      string
	Password  func() string
	TLS       *tls.Config
	// Credential names what the broker is shown, without telling it. What was refused is not shown again (A10): Refused is what was when the
	// agent ran before, and Refuse makes it durable; the zero value is nothing.
	Credential func() string
	Refused    state.Refusal
	Refuse     func(state.Refusal)
	// Held is what the user can do, and why there is nothing to be shown to the broker now; nil if there is. It may be nil itself.
	Held func() (advice string, why error)
	// Login is what to type when the broker has refused the password.
	Login string
	// Explain names a refusal of the certificate; see clientcert.
	Explain            func(error) error
	MinPause, MaxPause time.Duration
	// Key is what a notification must be made with: the device's credential and the id of the logical session, "" if none is open.
	Key func() (credential, session string)
	// Wake takes an event for the session, with what the server's notification asks for if it was one; it may block for a moment.
	Wake func(context.Context, session.Event, []san.Sync)
	// Manage takes what concerns device management; nil if the device is not managed.
	Manage Manage
	// Changed is told that Push tells something else; may be nil.
	Changed func()
	// Note is told why a notification led to nothing; may be nil.
	Note func(why string)
	Log  *slog.Logger
}

// Manage is told of device management. It must not block.
type Manage interface {
	// Notified tells whether a notification is about device management.
	Notified(payload []byte) bool
	Received(payload []byte)
}

// Listener listens while Run runs.
type Listener struct {
	o      Options
	topics mqtt.Topics
	client *pahoclient.Client
	events chan hint // capacity one: hints for the same thing

	mu             sync.Mutex
	unsure         []byte                // the last notification that did not verify; guarded by mu
	push           control.Push          // guarded by mu
	told           bool                  // the server knows of this connection; guarded by mu
	tried, refused string                // credentials; guarded by mu
	seen           [64][sha256.Size]byte // sums of the last notifications; guarded by mu
	next           int                   // place in seen; guarded by mu
}

// hint is an event, and what a notification asked for.
type hint struct {
	event session.Event
	syncs []san.Sync
}

// New makes a Listener. It starts nothing.
func New(o Options) (*Listener, error) {
	topics, err := mqtt.NewTopics(o.Prefix, o.Device)
	if err != nil {
		return nil, err
	}
	l := &Listener{o: o, topics: topics, events: make(chan hint, 1), push: control.Push{State: "connecting", Broker: o.Broker}, refused: o.Refused.Credential}
	if o.Refused.Credential != "" && o.Refused.Credential == o.Credential() {
		l.tellLocked("refused", o.Refused.Reason, o.Refused)
	}
	l.client, err = pahoclient.New(mqtt.Config{
		Broker: o.Broker, Brokers: o.Brokers, Reached: l.reached, Dial: o.Dial, KeepAlive: o.KeepAlive, ClientID: o.Device, TLS: o.TLS, MinPause: o.MinPause, MaxPause: o.MaxPause,
		Credentials: func() (string, string) { return o.User, o.Password() },
		Ready:       l.ready,
		Topics:      []string{topics.Notify()},
		Wishes:      wishes(o, topics),
		Will:        &mqtt.Message{Topic: topics.Presence(), Payload: []byte("offline"), Retain: true},
		Received:    l.received, Connected: l.connected, Lost: l.lost,
	})
	return l, err
}

// wishes are what brokers may refuse that know nothing of device management.
func wishes(o Options, topics mqtt.Topics) []string {
	if o.Manage == nil {
		return nil
	}
	return []string{topics.ManageDown()}
}

// SendManage carries a message of device management to the server.
func (l *Listener) SendManage(ctx context.Context, payload []byte) error {
	return l.client.Publish(ctx, mqtt.Message{Topic: l.topics.ManageUp(), Payload: payload})
}

// Push is where the connection stands.
func (l *Listener) Push() control.Push {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.push
}

// Kick tries to connect now, unless the broker has refused the credentials there are.
func (l *Listener) Kick() { l.client.Kick() }

// Forgive tries once more with credentials that were refused.
func (l *Listener) Forgive() {
	l.mu.Lock()
	l.refused = ""
	if l.push.State == "refused" {
		l.tellLocked("connecting", l.push.Reason, state.Refusal{})
	}
	l.mu.Unlock()
	l.client.Kick()
}

// ready tells whether there are credentials that the broker has not refused yet.
func (l *Listener) ready() bool {
	if l.held() {
		return false
	}
	now := l.o.Credential()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tried = now
	return now != l.refused
}

// held tells whether there are no credentials to be had.
func (l *Listener) held() bool {
	if l.o.Held == nil {
		return false
	}
	advice, why := l.o.Held()
	l.mu.Lock()
	former := l.push.State
	switch {
	case why != nil:
		l.tellLocked("held", why.Error(), state.Refusal{Reason: why.Error(), Advice: advice})
	case former == "held":
		l.tellLocked("connecting", "", state.Refusal{})
	}
	now := l.push.State
	l.mu.Unlock()
	if now != former {
		l.changed()
	}
	return why != nil
}

// Run listens until ctx ends, and then takes its leave of the server.
func (l *Listener) Run(ctx context.Context) {
	connected, disconnect := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer disconnect()
	defer l.leave(connected)
	wg.Go(func() { l.client.Run(connected) })
	for {
		select {
		case h := <-l.events:
			l.announce(ctx)
			l.o.Wake(ctx, h.event, h.syncs)
		case <-ctx.Done():
			return
		}
	}
}

// announce tells the server that the device is there. It is best effort: nothing depends on it.
func (l *Listener) announce(ctx context.Context) {
	l.mu.Lock()
	due := l.push.State == "connected" && !l.told
	l.told = l.told || due
	l.mu.Unlock()
	if due {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		l.client.Publish(ctx, mqtt.Message{Topic: l.topics.Presence(), Payload: []byte("online"), Retain: true}) //nolint:errcheck // see above
	}
}

// leave tells the server that the device is gone: the broker says so by itself only of those that did not end well. Best effort, as announce.
func (l *Listener) leave(ctx context.Context) {
	l.mu.Lock()
	known := l.told
	l.mu.Unlock()
	if !known {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	l.client.Publish(ctx, mqtt.Message{Topic: l.topics.Presence(), Payload: []byte("offline"), Retain: true}) //nolint:errcheck // see above
}

// leaveTime bounds how much later the agent ends because of a broker that does not answer.
const leaveTime = time.Second

// wake passes a hint on. Two that wait become one, which asks for no less.
func (l *Listener) wake(h hint) {
	for {
		select {
		case l.events <- h:
			return
		default:
		}
		select {
		case waiting := <-l.events:
			if _, up := waiting.event.(session.LinkUp); up {
				h.event = waiting.event
			}
			h.syncs = nil
		default:
		}
	}
}

// tellLocked changes what Push tells. r is what the broker has refused of our credentials, the zero Refusal if nothing.
func (l *Listener) tellLocked(now, reason string, r state.Refusal) {
	l.push.State, l.push.Reason = now, reason
	if now != "connected" {
		l.push.Via = ""
	}
	l.push.Advice, l.push.NeedsCredentials = r.Advice, r.Reason != ""
}

// reached tells by which address the connection came about that stands now.
func (l *Listener) reached(broker string) {
	l.mu.Lock()
	if l.push.Via = broker; broker == l.o.Broker {
		l.push.Via = ""
	}
	l.mu.Unlock()
	if l.o.Reached != nil {
		l.o.Reached(broker)
	}
}

// connected: the network is back, and what was sent meanwhile may be lost, whatever the broker says of our session (deps.md 0.1).
func (l *Listener) connected(bool) {
	l.mu.Lock()
	l.tellLocked("connected", "", state.Refusal{})
	l.told = false
	mended := l.refused != ""
	l.refused = ""
	l.mu.Unlock()
	if mended {
		l.o.Refuse(state.Refusal{})
	}
	l.changed()
	l.wake(hint{event: session.LinkUp{}})
}

func (l *Listener) lost(err error) {
	err = l.o.Explain(err)
	r := l.refusal(err)
	l.mu.Lock()
	former := l.push
	l.tellLocked("connecting", err.Error(), state.Refusal{})
	if mqtt.NeedsOperator(err) {
		l.push.State = "refused"
	}
	if r.Reason != "" {
		r.Credential, l.refused = l.tried, l.tried
		l.tellLocked("refused", r.Reason, r)
	}
	changed := former.State != l.push.State
	l.mu.Unlock()
	if r.Reason != "" {
		l.o.Refuse(r)
	}
	if changed {
		l.changed()
		l.o.Log.Warn("no push from the server; changes there are found by polling", "broker", l.o.Broker, "reason", err)
	}
}

// refusal is what the broker refused, the zero Refusal if it was none of our credentials.
func (l *Listener) refusal(err error) state.Refusal {
	var cert *dsclient.CertificateError
	switch {
	case errors.As(err, &cert):
		return state.Refusal{Reason: cert.What, Advice: cert.Remedy}
	case errors.Is(err, mqtt.ErrCredentials):
		return state.Refusal{Reason: err.Error(), Advice: l.o.Login}
	}
	return state.Refusal{}
}

func (l *Listener) changed() {
	if l.o.Changed != nil {
		l.o.Changed()
	}
}

func (l *Listener) note(why string) {
	if l.o.Note != nil {
		l.o.Note(why)
	}
}

// Recheck looks once more at the last notification that could not be verified: it may belong to a session that was being opened when it
// came, which the server knows a moment before we do (found by killing processes at random).
func (l *Listener) Recheck() {
	l.mu.Lock()
	payload := l.unsure
	l.unsure = nil
	l.mu.Unlock()
	if payload != nil {
		l.received(mqtt.Message{Payload: payload})
	}
}

// received takes a notification. What is not from our server, or comes again, is dropped silently (protocol.md F.2).
func (l *Listener) received(m mqtt.Message) {
	if l.o.Manage != nil {
		if m.Topic == l.topics.ManageDown() {
			l.o.Manage.Received(m.Payload)
			return
		}
		if l.o.Manage.Notified(m.Payload) {
			return
		}
	}
	credential, id := l.o.Key()
	n, err := notify.Read(m.Payload, credential, id)
	if err != nil {
		l.o.Log.Debug("notification not understood", "reason", err)
		l.note("a notification was dropped: " + err.Error())
		l.mu.Lock()
		l.unsure = m.Payload
		l.mu.Unlock()
		return
	}
	digest := sha256.Sum256(m.Payload)
	now := time.Now()
	l.mu.Lock()
	again := false
	for _, s := range l.seen {
		again = again || s == digest
	}
	if !again {
		l.seen[l.next%len(l.seen)] = digest
		l.next++
		l.push.LastTrigger = &now
	}
	l.mu.Unlock()
	if again {
		l.note("a notification came twice")
	}
	if !again {
		l.wake(hint{session.Wanted{Cause: session.CauseServer}, n.Syncs})
	}
}
