package pahoclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/alwayson-sync/alwayson/mqtt"
)

// standing is a connection that the broker has accepted.
type standing struct {
	broker  string
	conn    paho.Client
	road    *road
	present bool // the broker remembers us
}

// climb tries the addresses of the broker in turn, until one lets us in or the broker itself has said no.
func (c *Client) climb(ctx context.Context, lost chan<- error) (*standing, error) {
	var failed error
	for _, broker := range c.c.Brokers() {
		s, err := c.dial(ctx, broker, lost)
		if err == nil || final(err) || ctx.Err() != nil {
			return s, err
		}
		failed = add(failed, broker, err)
	}
	return nil, failed
}

// add says what was in the way of a further address, if it is something else.
func add(failed error, broker string, err error) error {
	switch {
	case failed == nil:
		return err
	case failed.Error() == err.Error(): // the device is in no network
		return failed
	}
	return fmt.Errorf("%w; %s: %v", failed, broker, strings.TrimPrefix(err.Error(), unreachable+": "))
}

const unreachable = "cannot reach the broker"

// dial makes one attempt at one address.
func (c *Client) dial(ctx context.Context, broker string, lost chan<- error) (*standing, error) {
	u, err := address(broker)
	if err != nil {
		return nil, err
	}
	r := newRoad(ctx, u, c.c.Dial)
	conn := paho.NewClient(c.options(r, lost))
	token := conn.Connect()
	if err := c.await(ctx, token); err != nil {
		r.close()
		token.WaitTimeout(quiesce * time.Millisecond) // who gave up does not wait for what cannot be ended
		conn.Disconnect(0)
		return nil, connectError(err, r)
	}
	return &standing{broker: broker, conn: conn, road: r, present: token.(*paho.ConnectToken).SessionPresent()}, nil
}

// connectError names what trying again cannot cure.
func connectError(err error, r *road) error {
	switch {
	case errors.Is(err, errKicked), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		return mqtt.ErrCredentials
	}
	if failed := r.failure(); failed != nil {
		err = failed
	}
	return fmt.Errorf(unreachable+": %w", err)
}

// refusing are the alerts of TLS by which a broker refuses our certificate (RFC 8446 section 6.2). At another address it would be shown the same one.
var refusing = []tls.AlertError{42, 43, 44, 45, 46, 48, 49, 116}

// final tells whether another address of the broker would say the same.
func final(err error) bool {
	if mqtt.NeedsOperator(err) || errors.Is(err, errKicked) {
		return true
	}
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return false
	}
	return slices.ContainsFunc(refusing, func(a tls.AlertError) bool { return op.Err.Error() == a.Error() })
}
