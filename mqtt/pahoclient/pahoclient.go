// Package pahoclient keeps one connection to a broker up, for ever. It is the only importer of paho, whose own reconnecting it does not
// use: that never tells whether the broker remembers us, waits up to ten minutes, and cannot be hurried.
package pahoclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/alwayson-sync/alwayson/mqtt"
)

// Client is one kept connection. Run keeps it; the other methods may be called from any goroutine while Run runs.
type Client struct {
	c    mqtt.Config
	kick chan struct{}

	mu   sync.Mutex
	conn paho.Client // nil while there is none; guarded by mu
}

const (
	// defaultKeepAlive is below the minute after which proxies close what lies idle.
	defaultKeepAlive = 50 * time.Second
	defaultMinPause  = time.Second
	defaultMaxPause  = time.Minute
	connectTimeout   = 15 * time.Second
	// writeTimeout makes a stalled link show: without it keep-alive waits behind a blocked write for ever (deps.md 0.5).
	writeTimeout = 10 * time.Second
	pingTimeout  = 10 * time.Second
	// brief is how short a connection must be to count as one that the broker closed on purpose, and suspicious how many of them in a row
	// mean that somebody else uses our id.
	brief      = 5 * time.Second
	suspicious = 4
	quiesce    = 250 // milliseconds for a clean disconnect
)

// New makes a client. It starts nothing.
func New(c mqtt.Config) (*Client, error) {
	if _, err := address(c.Broker); err != nil {
		return nil, err
	}
	if c.Brokers == nil {
		only := []string{c.Broker}
		c.Brokers = func() []string { return only }
	}
	for _, d := range []struct {
		v       *time.Duration
		instead time.Duration
	}{{&c.KeepAlive, defaultKeepAlive}, {&c.MinPause, defaultMinPause}, {&c.MaxPause, defaultMaxPause}} {
		if *d.v == 0 {
			*d.v = d.instead
		}
	}
	if c.TLS == nil {
		c.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &Client{c: c, kick: make(chan struct{}, 1)}, nil
}

// ports are those of the schemes, if an address has none.
var ports = map[string]string{"mqtt": "1883", "mqtts": "8883", "ws": "80", "wss": "443"}

func address(broker string) (*url.URL, error) {
	u, err := url.Parse(broker)
	if err != nil {
		return nil, fmt.Errorf("cannot use broker address: %w", err)
	}
	if ports[u.Scheme] == "" {
		return nil, fmt.Errorf("broker address %q must begin with mqtts, mqtt, wss or ws", broker)
	}
	return u, nil
}

// errKicked ends a connection, or an attempt at one, that a change of the network has made doubtful.
var errKicked = errors.New("the network has changed")

// Kick connects now, instead of after the pause and in place of the connection that stands: the network is another one, and what was
// opened over the former one may hang until the keep-alive notices (45 s measured).
func (c *Client) Kick() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// Publish sends a message with QoS 1 and returns when the broker has acknowledged it. Without a connection it is ErrDisconnected, and
// nothing is kept for later.
func (c *Client) Publish(ctx context.Context, m mqtt.Message) error {
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn == nil {
		return mqtt.ErrDisconnected
	}
	if len(m.Payload) > mqtt.MaxPayload {
		return fmt.Errorf("message of %d octets is larger than %d", len(m.Payload), mqtt.MaxPayload)
	}
	return wait(ctx, conn.Publish(m.Topic, 1, m.Retain, m.Payload))
}

func wait(ctx context.Context, t paho.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run keeps the connection until ctx ends.
func (c *Client) Run(ctx context.Context) {
	short, failures := 0, 0
	for ctx.Err() == nil {
		if c.c.Ready != nil && !c.c.Ready() {
			c.wait(ctx, c.c.MaxPause)
			continue
		}
		began := time.Now()
		stood, err := c.connection(ctx)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errKicked) {
			c.c.Lost(err)
			failures = 0
			continue
		}
		failures++
		if stood {
			failures = 1
			if short++; time.Since(began) > brief {
				short = 0
			}
		}
		if short >= suspicious {
			err = fmt.Errorf("%w (%v)", mqtt.ErrTakenOver, err)
		}
		c.c.Lost(err)
		c.pause(ctx, failures, err)
	}
}

// pause waits before the next attempt: up to twice as long each time, and long at once where trying again does not help.
func (c *Client) pause(ctx context.Context, failures int, err error) {
	p := c.c.MaxPause
	if !mqtt.NeedsOperator(err) {
		p = min(p, c.c.MinPause<<min(failures-1, 16))
		p = time.Duration(rand.Int64N(int64(p) + 1))
	}
	c.wait(ctx, p)
}

// wait waits so long, or until somebody kicks.
func (c *Client) wait(ctx context.Context, p time.Duration) {
	t := time.NewTimer(p)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.kick:
	case <-ctx.Done():
	}
}

// connection is one connection from its beginning to its end. stood tells whether it was usable.
func (c *Client) connection(ctx context.Context) (stood bool, err error) {
	lost := make(chan error, 1)
	s, err := c.climb(ctx, lost)
	if err != nil {
		return false, err
	}
	defer s.road.close()
	defer s.conn.Disconnect(quiesce)
	if err := c.subscribe(ctx, s.conn, c.c.Topics); err != nil {
		return false, err
	}
	if err := c.subscribe(ctx, s.conn, c.c.Wishes); err != nil && !errors.Is(err, mqtt.ErrSubscription) {
		return false, err
	}
	c.set(s.conn)
	defer c.set(nil)
	select {
	case <-c.kick: // from before this connection
	default:
	}
	if c.c.Reached != nil {
		c.c.Reached(s.broker)
	}
	c.c.Connected(s.present)
	select {
	case <-c.kick:
		return true, errKicked
	case err := <-lost:
		return true, err
	case <-ctx.Done():
		return true, ctx.Err()
	}
}

func (c *Client) set(conn paho.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
}

// await is wait that a kick ends.
func (c *Client) await(ctx context.Context, t paho.Token) error {
	select {
	case <-c.kick:
		return errKicked
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// subscribe subscribes always: a broker that says it remembers the session may still have lost the subscription. A refusal is no error
// of the token, only its result tells.
func (c *Client) subscribe(ctx context.Context, conn paho.Client, topics []string) error {
	if len(topics) == 0 {
		return nil
	}
	filters := make(map[string]byte)
	for _, t := range topics {
		filters[t] = 1
	}
	token := conn.SubscribeMultiple(filters, nil)
	if err := wait(ctx, token); err != nil {
		return fmt.Errorf("cannot subscribe: %w", err)
	}
	for topic, code := range token.(*paho.SubscribeToken).Result() {
		if code == 0x80 {
			return fmt.Errorf("%w: %s", mqtt.ErrSubscription, topic)
		}
	}
	return nil
}

// options are those of one connection (deps.md 2.1). The store is in memory: what must not be lost is not entrusted to it.
func (c *Client) options(r *road, lost chan<- error) *paho.ClientOptions {
	user, password := c.c.Credentials()
	o := paho.NewClientOptions().AddBroker(r.to.String()).SetCustomOpenConnectionFn(r.open).SetClientID(c.c.ClientID).SetUsername(user).SetPassword(password).
		SetProtocolVersion(4).SetCleanSession(false).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true).
		SetKeepAlive(c.c.KeepAlive).SetPingTimeout(min(pingTimeout, c.c.KeepAlive)).SetWriteTimeout(writeTimeout).SetConnectTimeout(connectTimeout).
		SetTLSConfig(c.c.TLS).SetMaxResumePubInFlight(16).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			c.c.Received(mqtt.Message{Topic: m.Topic(), Payload: m.Payload(), Retain: m.Retained()})
		}).
		SetConnectionLostHandler(func(_ paho.Client, err error) {
			select {
			case lost <- err:
			default:
			}
		})
	if w := c.c.Will; w != nil {
		o.SetBinaryWill(w.Topic, w.Payload, 1, w.Retain)
	}
	return o
}
