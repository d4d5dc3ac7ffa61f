package control

import (
	"context"
	"net/http"
	"time"
)

// Filter is what is wanted of a store (GET /v1/filters), in the filter language: "" is everything.
type Filter struct {
	Store  string `json:"store"`
	Kind   string `json:"kind,omitempty"`
	Filter string `json:"filter"`
	// Travel is wanted besides until Until.
	Travel string     `json:"travel,omitempty"`
	Until  *time.Time `json:"until,omitempty"`
	// State is "in use", "waiting" until the server has been told, or "refused" with a Reason.
	State  string `json:"state,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Preview is what a filter would change on this device (POST /v1/filters/preview).
type Preview struct {
	Store  string `json:"store"`
	Come   int    `json:"come"`   // items that would come
	Change int    `json:"change"` // that would come again in another form
	Leave  int    `json:"leave"`  // that would leave this device; nothing is deleted on the server
}

// Filters lists the filters of all stores.
func (c *Client) Filters(ctx context.Context) (list []Filter, err error) {
	return list, c.call(ctx, http.MethodGet, "/v1/filters", nil, &list)
}

// SetFilter makes a filter wanted. It comes into use with the exchange that follows.
func (c *Client) SetFilter(ctx context.Context, f Filter) (Filter, error) {
	return f, c.call(ctx, http.MethodPost, "/v1/filters", f, &f)
}

// PreviewFilter asks the server what a filter would change.
func (c *Client) PreviewFilter(ctx context.Context, f Filter) (p Preview, err error) {
	return p, c.call(ctx, http.MethodPost, "/v1/filters/preview", f, &p)
}

// FetchRequest is the body of POST /v1/fetch.
type FetchRequest struct {
	Item string `json:"item"` // the file of a message of which a part is here
}

// Fetch gets one message whole and returns when it is here.
func (c *Client) Fetch(ctx context.Context, item string) (x Exchange, err error) {
	return x, c.call(ctx, http.MethodPost, "/v1/fetch", FetchRequest{item}, &x)
}
