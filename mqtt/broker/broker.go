// Package broker is an MQTT broker inside the process, for the demo, for tests and for sites with one server. It is the only importer of
// the NATS server. Larger sites run a broker of their own; the rest of the project sees no difference.
package broker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Rights are the topic filters that a client may publish to and subscribe to; nil is everything.
type Rights struct{ Publish, Subscribe []string }

// Options of a Broker. StoreDir must be set.
type Options struct {
	Addr     string // host:port to listen on; port 0 is a free one, empty is 127.0.0.1:0
	StoreDir string // sessions and queued messages
	// TLS has the certificate, and who may connect if ClientCAs are set; nil is in the clear.
	TLS *tls.Config
	// Authorize decides on a user, and what it may do. Nil lets everybody do everything: for tests.
	Authorize func(user, password string) (Rights, bool)
}

// Broker runs from Start to Close.
type Broker struct {
	s      *server.Server
	addr   string
	secure bool
}

// startTime bounds the start; it takes some 30 ms.
const startTime = 20 * time.Second

// ackWait is after how long a message that was not acknowledged is sent again. One that is under way while a client renews its
// subscription is not, and the server's own half minute is long for a hint.
const ackWait = 3 * time.Second

// handshake bounds that of TLS; the server's own 2 s are short for a phone that wakes up.
const handshake = 10 * time.Second

// Start returns when clients can connect.
func Start(o Options) (*Broker, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	host, port, err := split(o.Addr)
	if err != nil {
		return nil, err
	}
	opts := &server.Options{ServerName: "alwayson", DontListen: true, JetStream: true, StoreDir: o.StoreDir, NoSigs: true, NoLog: true,
		MaxPayload: 1 << 20, MQTT: server.MQTTOpts{Host: host, Port: port, AckWait: ackWait, TLSConfig: o.TLS, TLSTimeout: handshake.Seconds()}}
	if o.Authorize != nil {
		opts.CustomClientAuthentication = authenticator(o.Authorize)
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("cannot start the broker: %w", err)
	}
	s.Start()
	b := &Broker{s: s, secure: o.TLS != nil}
	if err := b.ready(opts); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func split(addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("cannot listen on %q: %w", addr, err)
	}
	if port, err = strconv.Atoi(text); err != nil {
		return "", 0, fmt.Errorf("cannot listen on %q: %w", addr, err)
	}
	if port == 0 {
		port = -1 // theirs for "a free one"
	}
	return host, port, nil
}

func (b *Broker) ready(opts *server.Options) error {
	if !b.s.ReadyForConnections(startTime) {
		return errors.New("cannot start the broker: it is not ready, is its address taken?")
	}
	b.addr = net.JoinHostPort(opts.MQTT.Host, strconv.Itoa(opts.MQTT.Port))
	return nil
}

// URL is where clients connect.
func (b *Broker) URL() string {
	if b.secure {
		return "mqtts://" + b.addr
	}
	return "mqtt://" + b.addr
}

// Addr is host:port.
func (b *Broker) Addr() string { return b.addr }

// Close stops the broker and returns when it has stopped.
func (b *Broker) Close() {
	b.s.Shutdown()
	b.s.WaitForShutdown()
}

// authenticator asks the caller's function and translates topics to subjects.
type authenticator func(user, password string) (Rights, bool)

// Check implements server.Authentication.
func (a authenticator) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	rights, ok := a(o.Username, o.Password)
	if !ok {
		return false
	}
	user := &server.User{Username: o.Username}
	if rights.Publish != nil || rights.Subscribe != nil {
		user.Permissions = &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: append(subjects(rights.Publish), "$MQTT.>")},
			Subscribe: &server.SubjectPermission{Allow: append(subjects(rights.Subscribe), "$MQTT.>", "_INBOX.>")},
		}
	}
	c.RegisterUser(user)
	return true
}

// subjects are topics as the server writes them.
func subjects(topics []string) []string {
	out := make([]string, 0, len(topics)+2)
	for _, t := range topics {
		b := []byte(t)
		for i := range b {
			if b[i] == '/' {
				b[i] = '.'
			}
		}
		out = append(out, string(b))
	}
	return out
}
