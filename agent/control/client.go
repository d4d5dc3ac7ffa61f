package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/agent/internal/sock"
)

// ErrNoAgent: no agent listens on the socket.
var ErrNoAgent = sock.ErrNoAgent

// Client talks to an agent. It may be used from many goroutines; Close it after use.
type Client struct {
	http *http.Client
}

// Dial makes a client for the agent on the socket. It does not connect yet.
func Dial(socket string) *Client {
	return &Client{http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return sock.Dial(ctx, socket) },
	}}}
}

// DefaultSocket is where an agent listens if its configuration names no other place.
func DefaultSocket() string { return sock.Default() }

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Error is a refusal by the agent: one sentence.
type Error struct {
	Code    int     `json:"-"`
	Text    string  `json:"error"`
	Problem Problem `json:"problem,omitempty"`
}

func (e *Error) Error() string { return e.Text }

// Status asks where the agent stands.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/status", nil, &s)
	return s, err
}

// On and Off flip Always-On (T1, T3); doing it twice is doing it once (T6). The status is the one afterwards.
func (c *Client) On(ctx context.Context) (s Status, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/on", nil, &s)
	return s, err
}

// Off is described at On.
func (c *Client) Off(ctx context.Context) (s Status, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/off", nil, &s)
	return s, err
}

// Sync asks for an exchange by hand, also while Always-On is off. With wait it returns when that exchange has ended, and what became
// of it; without, the Exchange is zero.
func (c *Client) Sync(ctx context.Context, wait bool) (x Exchange, err error) {
	return c.SyncWith(ctx, SyncRequest{Wait: wait})
}

// SyncWith is Sync with sync types.
func (c *Client) SyncWith(ctx context.Context, req SyncRequest) (x Exchange, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/sync", req, &x)
	return x, err
}

// OpenSession opens a logical session without a sync (S3) and returns when it is open.
func (c *Client) OpenSession(ctx context.Context) (s Status, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/session/open", nil, &s)
	return s, err
}

// CloseSession closes it on both sides; Always-On stays on, and the next change opens another one.
func (c *Client) CloseSession(ctx context.Context) (s Status, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/session/close", nil, &s)
	return s, err
}

// Login gives the agent the new secret of the account and returns what became of the first exchange with it (A4).
func (c *Client) Login(ctx context.Context, secret string) (x Exchange, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/login", map[string]string{"secret": secret}, &x)
	return x, err
}

// LookAgain makes the agent look for a secret that it has to fetch, from the keyring or by a command.
func (c *Client) LookAgain(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/v1/login", map[string]bool{"again": true}, &Exchange{})
}

// LoginPush gives the agent the new secret for the broker, if it has one of its own (A10).
func (c *Client) LoginPush(ctx context.Context, secret string) error {
	return c.call(ctx, http.MethodPost, "/v1/login", map[string]any{"secret": secret, "push": true}, &Exchange{})
}

// Pending lists the items that wait.
func (c *Client) Pending(ctx context.Context) (list []Pending, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/pending", nil, &list)
	return list, err
}

// Log lists the last n exchanges, oldest first; all that are kept if n is 0.
func (c *Client) Log(ctx context.Context, n int) (list []Exchange, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/log?"+url.Values{"n": {strconv.Itoa(n)}}.Encode(), nil, &list)
	return list, err
}

// Watch yields the status now and after each change, until ctx ends or the agent does. A slow reader misses what was in between.
func (c *Client) Watch(ctx context.Context) iter.Seq2[Status, error] {
	return func(yield func(Status, error) bool) {
		res, err := c.do(ctx, http.MethodGet, "/v1/events", nil)
		if err != nil {
			yield(Status{}, err)
			return
		}
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, maxEvent)
		for lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			var s Status
			if err := json.Unmarshal([]byte(data), &s); !yield(s, err) || err != nil {
				return
			}
		}
		if err := lines.Err(); err != nil && ctx.Err() == nil {
			yield(Status{}, err)
		}
	}
}

// maxEvent bounds one event: a status with the server's device information.
const maxEvent = 1 << 20

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	res, err := c.do(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("cannot understand the agent's answer (if it is another version: alwayson service restart): %w", err)
	}
	return nil
}

func (c *Client) do(ctx context.Context, method, path string, in any) (*http.Response, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://agent"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return nil, wrapped.Err // "Get http://agent/…" tells nobody anything
	}
	if err != nil || res.StatusCode == http.StatusOK {
		return res, err
	}
	defer res.Body.Close()
	return nil, refusal(res)
}

func refusal(res *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
	e := &Error{Code: res.StatusCode}
	if json.Unmarshal(text, e) != nil || e.Text == "" {
		e.Text = "the agent answered " + res.Status + "; if it is another version: alwayson service restart"
	}
	return e
}
