package control

import (
	"context"
	"net/http"
	"time"
)

// Setting is one of the settings of the agent (GET /v1/settings).
type Setting struct {
	Key    string     `json:"key"`
	Value  string     `json:"value"`
	Origin string     `json:"origin"`          // default, system, file, environment, user, administrator, fallback
	Where  string     `json:"where,omitempty"` // path of the file or name of the variable
	Set    *time.Time `json:"set,omitempty"`
	Locked bool       `json:"locked,omitempty"` // by the administrator
	Effect string     `json:"effect"`           // of a change: none, open, sync, restart
	// What it is, for who shows and asks for it.
	Type    string   `json:"type"` // text, integer, duration, bool
	Default string   `json:"default"`
	OneOf   []string `json:"one_of,omitempty"`
	Min     *int64   `json:"min,omitempty"` // of an integer
	Max     *int64   `json:"max,omitempty"` // likewise; none is any
	Node    string   `json:"node"`          // in the management tree
	Help    string   `json:"help"`          // one sentence
}

// Node is one of the management tree (GET /v1/settings/tree).
type Node struct {
	URI    string `json:"uri"`
	Format string `json:"format"`
	Value  string `json:"value,omitempty"` // of a leaf
	Secret bool   `json:"secret,omitempty"`
	ACL    string `json:"acl,omitempty"` // of its own; if there is none, that above it holds
}

// SettingsChanged is what follows from a change (POST /v1/settings).
type SettingsChanged struct {
	Effect string `json:"effect"`
}

// Settings lists all settings.
func (c *Client) Settings(ctx context.Context) (list []Setting, err error) {
	return list, c.call(ctx, http.MethodGet, "/v1/settings", nil, &list)
}

// Tree lists the management tree, each node after the one above it. Values that nobody may read are not told.
func (c *Client) Tree(ctx context.Context) (list []Node, err error) {
	return list, c.call(ctx, http.MethodGet, "/v1/settings/tree", nil, &list)
}

// SetSettings changes settings together, all or none. A nil value takes back what was set over the configuration file. They are in use when the
// agent has got round to it; the effect says what that means.
func (c *Client) SetSettings(ctx context.Context, values map[string]*string) (done SettingsChanged, err error) {
	return done, c.call(ctx, http.MethodPost, "/v1/settings", values, &done)
}
