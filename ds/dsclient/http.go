package dsclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// HTTP is the HTTP binding (protocol.md G). Client must not be nil.
type HTTP struct {
	Client    *http.Client
	UserAgent string
}

// maxAnswer bounds an answer (design.md §10).
const maxAnswer = 4 << 20

// HTTPError is an answer with an HTTP status other than 200.
type HTTPError struct {
	Code       int
	Text       string // first line of the body
	RetryAfter string // header as it came
}

func (e *HTTPError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("HTTP %d %s: %s", e.Code, http.StatusText(e.Code), e.Text), ": ")
}

// RoundTrip implements Transport.
func (h *HTTP) RoundTrip(ctx context.Context, url string, body []byte, enc syncml.Encoding) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", enc.ContentType())
	req.Header.Set("Accept", enc.ContentType())
	req.Header.Set("Cache-Control", "no-store")
	req.Header.Set("User-Agent", h.UserAgent)
	res, err := h.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case res.StatusCode != http.StatusOK:
		line, _, _ := strings.Cut(string(answer[:min(len(answer), 300)]), "\n")
		return nil, &HTTPError{Code: res.StatusCode, Text: line, RetryAfter: res.Header.Get("Retry-After")}
	case len(answer) > maxAnswer:
		return nil, errors.New("the answer is larger than 4 MiB")
	}
	return answer, nil
}

// Disconnect closes idle connections: no transport stays while nothing is exchanged (N8).
func (h *HTTP) Disconnect() { h.Client.CloseIdleConnections() }
