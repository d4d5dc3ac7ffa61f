package dsserver

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// maxBody bounds a message: we announce a quarter of it, and a peer may overshoot with its device information (peers.md 9).
const maxBody = 4 << 20

// ServeHTTP is the HTTP binding (protocol.md G). What cannot be understood gets an HTTP status and one sentence.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		s.refuse(w, r, http.StatusMethodNotAllowed, errors.New("SyncML is spoken with POST"))
		return
	}
	enc, ok := syncml.ParseContentType(r.Header.Get("Content-Type"))
	if !ok {
		s.refuse(w, r, http.StatusUnsupportedMediaType, fmt.Errorf("content type %q is not SyncML", r.Header.Get("Content-Type")))
		return
	}
	within(w, (*http.ResponseController).SetReadDeadline)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		s.refuse(w, r, bodyStatus(err), err)
		return
	}
	out, err := s.Handle(r.Context(), body, enc)
	if err != nil {
		s.refuse(w, r, handleStatus(err), err)
		return
	}
	within(w, (*http.ResponseController).SetWriteDeadline)
	h := w.Header()
	h.Set("Content-Type", enc.ContentType())
	h.Set("Content-Length", strconv.Itoa(len(out))) // old phones need it
	h.Set("Cache-Control", "private, no-store")
	w.Write(out) //nolint:errcheck // a device that is gone asks again
}

// transfer is how long a message may take to come or go: the largest one has that long over a link of 140 kbit/s. Who takes longer holds memory and a
// connection for nothing.
const transfer = 4 * time.Minute

// within bounds reading or writing. A connection that cannot be bounded, as in a test, is left as it is.
func within(w http.ResponseWriter, set func(*http.ResponseController, time.Time) error) {
	set(http.NewResponseController(w), time.Now().Add(transfer)) //nolint:errcheck // see above
}

// retryAfter is 5 to 15 s: those who come at once shall not come back at once.
func retryAfter() string { return strconv.Itoa(5 + rand.IntN(11)) }

func bodyStatus(err error) int {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

func handleStatus(err error) int {
	var bad *MessageError
	switch {
	case errors.As(err, &bad):
		return http.StatusBadRequest
	case errors.Is(err, ErrOverloaded):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// refuse tells the peer what is wrong with its message, but not what is wrong with us: that goes to the log only.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, code int, err error) {
	s.o.Log.Warn("message refused", "status", code, "peer", r.RemoteAddr, "reason", err)
	text := err.Error()
	switch code {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter())
	case http.StatusInternalServerError:
		text = "the server could not carry out the message; nothing of it was done"
	}
	http.Error(w, text, code)
}
