package control

import (
	"context"
	"net/http"
	"time"
)

// PauseRequest is the body of POST /v1/pause.
type PauseRequest struct {
	Until *time.Time `json:"until,omitempty"` // nil is: until the user resumes
}

// Pause lets nothing be exchanged by itself until then, also over restarts of the agent; the zero time is: until Resume. Edits wait. What is asked for
// by hand is done.
func (c *Client) Pause(ctx context.Context, until time.Time) (s Status, err error) {
	var req PauseRequest
	if !until.IsZero() {
		req.Until = &until
	}
	return s, c.call(ctx, http.MethodPost, "/v1/pause", req, &s)
}

// Resume ends a pause with one exchange. Without a pause it changes nothing.
func (c *Client) Resume(ctx context.Context) (s Status, err error) {
	return s, c.call(ctx, http.MethodPost, "/v1/resume", nil, &s)
}
