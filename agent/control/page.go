package control

import (
	"context"
	"net/http"
	"os"
	"time"
)

// PageURL is where the status page can be opened, once (POST /v1/page).
type PageURL struct {
	URL string `json:"url"`
}

// PageRequest is the body of POST /v1/page.
type PageRequest struct {
	// Own is the user whose programs may use the address, nil for who has it. Where the system does not tell whose a connection is, it says nothing.
	Own *int `json:"own,omitempty"`
}

// Page lets the agent open the status page on this device, and returns the address that opens it. It is good once, and for a short time: who has it
// may do on the page what this client may do.
func (c *Client) Page(ctx context.Context) (url string, err error) {
	return c.pageFor(ctx, PageRequest{})
}

// OwnPage is Page for a browser that this program starts. The address stands among the arguments of the browser, where all users of the device see it, and
// is good for programs of this user only.
func (c *Client) OwnPage(ctx context.Context) (url string, err error) {
	uid := os.Getuid()
	return c.pageFor(ctx, PageRequest{Own: &uid})
}

func (c *Client) pageFor(ctx context.Context, req PageRequest) (string, error) {
	var p PageURL
	err := c.call(ctx, http.MethodPost, "/v1/page", req, &p)
	return p.URL, err
}

// Message is one that was exchanged with the server while the status page was open (GET /v1/messages), without secrets.
type Message struct {
	At   time.Time `json:"at"`
	Sent bool      `json:"sent"` // by this device
	Size int       `json:"size"` // on the wire
	Text string    `json:"text"` // as XML, however it was encoded
}

// Messages lists the last ones, oldest first.
func (c *Client) Messages(ctx context.Context) (list []Message, err error) {
	return list, c.call(ctx, http.MethodGet, "/v1/messages", nil, &list)
}

// Finding is the outcome of one check of an examination (POST /v1/doctor).
type Finding struct {
	Section string `json:"section"`
	State   string `json:"state"` // ok, warning, error
	Text    string `json:"text"`
	Fix     string `json:"fix,omitempty"`
	Store   string `json:"store,omitempty"`
}

// Examine lets the agent examine what it depends on. That takes some ten seconds if others do not answer.
func (c *Client) Examine(ctx context.Context) (list []Finding, err error) {
	return list, c.call(ctx, http.MethodPost, "/v1/doctor", nil, &list)
}
