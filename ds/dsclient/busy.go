package dsclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// A server that is busy is asked for its result after these pauses, one after the other; what is still not there after the last is the next exchange's.
var busyPauses = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute}

// BusyError ends an exchange with a server that is there but has too much to do. What it has not acknowledged is not settled; the next exchange
// finds out what was done.
type BusyError struct {
	After time.Duration // that the server wants to be left alone; 0 if it did not say
}

func (e *BusyError) Error() string {
	if e.After > 0 {
		return fmt.Sprintf("the server is busy and asks to come back after %v", e.After)
	}
	return "the server is busy"
}

// busyError is the answer of a server, or of a proxy before it, that says when to come back; nil if it says something else. Without that it may as well
// be a proxy whose server is gone.
func busyError(err error) *BusyError {
	var answer *HTTPError
	if !errors.As(err, &answer) || answer.Code != http.StatusServiceUnavailable && answer.Code != http.StatusTooManyRequests {
		return nil
	}
	seconds, err := strconv.Atoi(answer.RetryAfter) // as a date it is not used by anything that we know
	if err != nil || seconds < 0 {
		return nil
	}
	return &BusyError{min(time.Duration(seconds)*time.Second, maxAfter)}
}

// maxAfter bounds what a server may ask for: nobody shall switch a fleet off by one answer.
const maxAfter = 10 * time.Minute

// saysBusy tells whether an answer says that the server still works on the message (protocol.md C.7).
func saysBusy(m *syncml.Message) bool {
	for _, c := range m.Commands {
		if s, ok := c.(*syncml.Status); ok && s.CmdRef == "0" && s.Code == ds.StatusInProgress {
			return true
		}
	}
	return false
}

// result asks for the answer to the last message, which the server was busy with, until it comes.
func (e *exchange) result(ctx context.Context, busy *syncml.Message) (*syncml.Message, error) {
	for _, pause := range busyPauses {
		if err := e.pause(ctx, pause); err != nil {
			return nil, &TransportError{err}
		}
		e.takeHeader(&busy.Header)
		body, err := e.buildResultAlert(busy)
		if err != nil {
			return nil, err
		}
		answer, err := e.Transport.RoundTrip(ctx, e.url, body, e.Encoding)
		m, err := e.received(body, answer, err)
		if err != nil || !saysBusy(m) {
			return m, err
		}
		busy = m
	}
	return nil, &BusyError{}
}

// buildResultAlert writes the message that asks for the result.
func (e *exchange) buildResultAlert(busy *syncml.Message) ([]byte, error) {
	e.msgID++
	h := e.header()
	e.asking = h.MsgID
	w := syncml.NewEncoder(e.Encoding, h)
	w.Command(&syncml.Status{ID: "1", MsgRef: busy.Header.MsgID, CmdRef: "0", Cmd: "SyncHdr", Code: ds.StatusOK,
		TargetRefs: []string{busy.Header.Target.URI}, SourceRefs: []string{busy.Header.Source.URI}})
	w.Command(&syncml.Alert{ID: "2", Code: ds.AlertResult, Items: []syncml.Item{{
		Target: &syncml.Location{URI: e.url}, Source: &syncml.Location{URI: e.DeviceID}}}})
	return w.Finish(true)
}

// takeResultStatus is the server's answer to the message that asked for the result.
func (e *exchange) takeResultStatus(s *syncml.Status) error {
	if !s.Code.OK() {
		return &TransportError{errors.New("the server was busy and has forgotten the message")}
	}
	return nil
}

func (c *Client) pause(ctx context.Context, d time.Duration) error {
	if c.Pause != nil {
		return c.Pause(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
