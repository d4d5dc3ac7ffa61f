package control

import (
	"context"
	"net/http"
	"time"
)

// Hold is deletions that wait for somebody's word, because there were too many at once (GET /v1/holds).
type Hold struct {
	Store string    `json:"store"`
	Here  int       `json:"here"`  // deleted on the server, and still on this device
	There int       `json:"there"` // deleted on this device, and still on the server
	Since time.Time `json:"since"`
	Items []string  `json:"items,omitempty"` // some of them
}

// Former is a version of an item that was overwritten or deleted (GET /v1/history).
type Former struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"` // when it was replaced
	Store  string    `json:"store"`
	Item   string    `json:"item"`
	Size   int64     `json:"size"`
	Reason string    `json:"reason"`
}

// Restored is an item that has a former version again.
type Restored struct {
	Store string `json:"store"`
	Item  string `json:"item"`
}

// RestoreRequest is the body of POST /v1/restore: one version by its ID; or every item of a store, or of all, as it was at a time; or, with neither,
// what was changed last.
type RestoreRequest struct {
	ID    string     `json:"id,omitempty"`
	Store string     `json:"store,omitempty"`
	At    *time.Time `json:"at,omitempty"`
}

// Holds lists what is held.
func (c *Client) Holds(ctx context.Context) (list []Hold, err error) {
	return list, c.call(ctx, http.MethodGet, "/v1/holds", nil, &list)
}

// DecideHold lets held deletions of a store happen, or keeps the items on both sides.
func (c *Client) DecideHold(ctx context.Context, store string, approve bool) (list []Hold, err error) {
	return list, c.call(ctx, http.MethodPost, "/v1/holds", map[string]any{"store": store, "approve": approve}, &list)
}

// History lists former versions, newest first; those of all stores if store is "".
func (c *Client) History(ctx context.Context, store string) (list []Former, err error) {
	return list, c.call(ctx, http.MethodGet, "/v1/history?store="+store, nil, &list)
}

// Restore puts former versions back. They are edits like any other and go to the server.
func (c *Client) Restore(ctx context.Context, r RestoreRequest) (list []Restored, err error) {
	return list, c.call(ctx, http.MethodPost, "/v1/restore", r, &list)
}

// Conflict is two versions of an item that contradict each other, so that both were kept (GET /v1/conflicts).
type Conflict struct {
	Store  string    `json:"store"`
	Item   string    `json:"item"`            // the version that was kept beside the other
	Other  string    `json:"other,omitempty"` // the other one, "" if it is gone
	Device string    `json:"device"`          // whose version Item is
	At     time.Time `json:"at"`
	This   string    `json:"this_text"`
	That   string    `json:"other_text,omitempty"`
}

// Conflicts lists them.
func (c *Client) Conflicts(ctx context.Context) (list []Conflict, err error) {
	return list, c.call(ctx, http.MethodGet, "/v1/conflicts", nil, &list)
}

// ResolveConflict leaves one version: the one that was kept beside the other, or the other one.
func (c *Client) ResolveConflict(ctx context.Context, item string, keepThis bool) (list []Conflict, err error) {
	return list, c.call(ctx, http.MethodPost, "/v1/conflicts", map[string]any{"item": item, "keep_this": keepThis}, &list)
}

// Verification is the outcome of a comparison of both sides (POST /v1/verify).
type Verification struct {
	Store      string        `json:"store"`
	Items      int           `json:"items"`            // on this device
	Differ     []string      `json:"differ,omitempty"` // those that are not the same on both sides
	RoundTrips int           `json:"round_trips"`
	Bytes      int           `json:"bytes"`
	Took       time.Duration `json:"took_ns"`
}

// Verify compares both sides, store by store.
func (c *Client) Verify(ctx context.Context) (list []Verification, err error) {
	return list, c.call(ctx, http.MethodPost, "/v1/verify", nil, &list)
}

// Why is one thing that led to an exchange, or did not (GET /v1/why), oldest first.
type Why struct {
	At       time.Time `json:"at"`
	Exchange bool      `json:"exchange"` // an exchange ran
	Why      string    `json:"why"`
	Outcome  string    `json:"outcome,omitempty"`
}

// Why lists the reasons of the last exchanges, and of those that there were not.
func (c *Client) Why(ctx context.Context) (list []Why, err error) {
	return list, c.call(ctx, http.MethodGet, "/v1/why", nil, &list)
}
