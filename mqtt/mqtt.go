// Package mqtt is a post box: topics and envelopes, no meaning. What lies in it is a hint at most; a broker may lose what it has
// acknowledged (Mosquitto does, killed between two saves), so nobody may depend on it.
package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"
)

// MaxPayload bounds a message (design: device management messages fit).
const MaxPayload = 128 << 10

// Message is one envelope.
type Message struct {
	Topic   string
	Payload []byte
	Retain  bool
}

// Config is one connection that is kept up for ever.
type Config struct {
	Broker string // mqtt, mqtts, ws or wss URL
	// Brokers are further addresses of the same broker, and in which order all of them are tried for a connection: the next one if the network
	// does not let one be reached. It is asked before each connection; nil is Broker alone.
	Brokers func() []string
	// Reached is told which of them it was, before Connected; may be nil. It must not block.
	Reached func(broker string)
	// Dial connects to host:port; secure tells that TLS follows. Nil connects directly, or through the SOCKS proxy of the environment.
	Dial     func(ctx context.Context, addr string, secure bool) (net.Conn, error)
	ClientID string
	// Credentials are asked for before each connection: a password may have changed.
	Credentials func() (user, password string)
	// Ready tells before each connection whether Credentials are worth an attempt: those that were refused are not. While they are not, it is
	// asked again at least every MaxPause. Nil is always.
	Ready     func() bool
	TLS       *tls.Config   // for mqtts and wss; nil is the system's certificates
	KeepAlive time.Duration // 0 is 50 s
	Will      *Message      // sent by the broker when the connection breaks
	Topics    []string      // subscribed with QoS 1
	// Wishes are subscribed, too, if the broker allows that to us; nothing may depend on them.
	Wishes []string
	// Received is called for each message; it must not block.
	Received func(Message)
	// Connected is called when the connection stands and the topics are subscribed. present tells whether the broker remembers us; if it
	// does not, what was sent meanwhile is lost. It must not block.
	Connected func(present bool)
	// Lost is called when the connection broke or could not be made, with the reason. It must not block.
	Lost func(error)
	// MinPause and MaxPause bound the pauses between attempts; they double, with full jitter. 0 is the default.
	MinPause, MaxPause time.Duration
}

// Errors of Lost, for errors.Is. Neither gets better by trying at once.
var (
	ErrCredentials  = errors.New("the broker refused user name or password")
	ErrSubscription = errors.New("the broker refused a subscription")
	// ErrTakenOver: the broker closes each connection soon after it stood. Nearly always another device has the same client id.
	ErrTakenOver = errors.New("the broker keeps closing the connection; does another device use the same id?")
)

// NeedsOperator tells whether err is one of the errors above.
func NeedsOperator(err error) bool {
	return errors.Is(err, ErrCredentials) || errors.Is(err, ErrSubscription) || errors.Is(err, ErrTakenOver)
}

// ErrDisconnected: there is no connection. What was to be published is not; the caller looks at its state when Connected is called.
var ErrDisconnected = errors.New("not connected to the broker")

var deviceName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ValidDevice tells whether an id can be a level of a topic, and none that reaches into other topics.
func ValidDevice(id string) bool { return deviceName.MatchString(id) }

// Topics are those of one device (design.md §6).
type Topics struct{ prefix, device string }

// NewTopics refuses a device id that could reach into other topics.
func NewTopics(prefix, device string) (Topics, error) {
	if !ValidDevice(device) {
		return Topics{}, fmt.Errorf("device id %q must be 1 to 64 letters, digits, - or _", device)
	}
	return Topics{prefix, device}, nil
}

// Notify carries notifications (package 0) to the device.
func (t Topics) Notify() string { return t.prefix + "/" + t.device + "/notify" }

// Presence is "online" or "offline", retained.
func (t Topics) Presence() string { return t.prefix + "/" + t.device + "/presence" }

// ManageDown carries messages of device management to the device, ManageUp those of the device.
func (t Topics) ManageDown() string { return t.prefix + "/" + t.device + "/dm/down" }

// ManageUp is described at ManageDown.
func (t Topics) ManageUp() string { return t.prefix + "/" + t.device + manageUp }

const manageUp = "/dm/up"

// AllManageUp is the filter for the messages of device management of every device.
func AllManageUp(prefix string) string { return prefix + "/+" + manageUp }

// ManagedDevice is the device that has sent a message of device management, "" if the topic is another one.
func ManagedDevice(prefix, topic string) string { return deviceIn(prefix, topic, manageUp) }

// AllPresences is the filter for the presence of every device.
func AllPresences(prefix string) string { return prefix + "/+/presence" }

// PresentDevice is the device that a message on its presence is about, "" if it is about something else.
func PresentDevice(prefix, topic string) string { return deviceIn(prefix, topic, "/presence") }

func deviceIn(prefix, topic, rest string) string {
	device, ok := strings.CutPrefix(topic, prefix+"/")
	device, is := strings.CutSuffix(device, rest)
	if !ok || !is || !ValidDevice(device) {
		return ""
	}
	return device
}
