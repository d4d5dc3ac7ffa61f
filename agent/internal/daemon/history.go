package daemon

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
)

// kept is how many exchanges are remembered: some days of a busy device, 100 KB on disk.
const kept = 500

// History is the log of exchanges, on disk and in memory.
type History struct {
	journal *state.Journal
	log     *slog.Logger

	mu   sync.Mutex
	list []control.Exchange // guarded by mu
	// last change of each store, by name; guarded by mu
	changes map[string]control.Change
}

// OpenHistory reads what was remembered.
func OpenHistory(db kv.Store, log *slog.Logger) (*History, error) {
	j, entries, err := state.OpenJournal(db, kept)
	if err != nil {
		return nil, err
	}
	h := &History{journal: j, log: log, changes: make(map[string]control.Change)}
	for _, e := range entries {
		var x control.Exchange
		if json.Unmarshal(e, &x) == nil { // an entry of another version is no loss
			h.note(x)
		}
	}
	return h, nil
}

// Add remembers an exchange. A log that cannot be written is no reason to stop synchronizing.
func (h *History) Add(e engine.Exchange) {
	x := exchange(e)
	h.mu.Lock()
	h.note(x)
	h.mu.Unlock()
	body, err := json.Marshal(x)
	if err == nil {
		err = h.journal.Append(body)
	}
	if err != nil {
		h.log.Error("exchange is not in the log", "reason", err)
	}
}

func (h *History) note(x control.Exchange) {
	h.list = append(h.list, x)
	if len(h.list) > kept {
		h.list = append(h.list[:0], h.list[len(h.list)-kept:]...)
	}
	for _, s := range x.Stores {
		if from := origin(s); from != "" {
			h.changes[strings.TrimPrefix(s.Name, "./")] = control.Change{At: x.At.Add(x.Took), From: from}
		}
	}
}

func origin(s control.StoreExchange) string {
	switch {
	case s.Sent > 0 && s.Received > 0:
		return "both"
	case s.Sent > 0:
		return "device"
	case s.Received > 0:
		return "server"
	}
	return ""
}

// Last is the last n exchanges, oldest first; all if n is 0.
func (h *History) Last(n int) []control.Exchange {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n <= 0 || n > len(h.list) {
		n = len(h.list)
	}
	return append([]control.Exchange{}, h.list[len(h.list)-n:]...)
}

func (h *History) change(store string) *control.Change {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c, ok := h.changes[store]; ok {
		return &c
	}
	return nil
}

// exchange is e as the API shows it.
func exchange(e engine.Exchange) control.Exchange {
	x := control.Exchange{At: e.At, Took: e.Took, Cause: string(e.Cause), Problem: problem(e), Session: e.Report.Session,
		RoundTrips: e.Report.RoundTrips, BytesOut: e.Report.BytesOut, BytesIn: e.Report.BytesIn}
	if e.Err != nil {
		x.Error = e.Err.Error()
	}
	for _, s := range e.Report.Stores {
		x.Stores = append(x.Stores, control.StoreExchange{Name: strings.TrimPrefix(s.Name, "./"), Alert: int(s.Alert),
			Sent: s.Sent, Received: s.Received, Failed: s.Failed})
	}
	return x
}

func problem(e engine.Exchange) control.Problem {
	var auth *dsclient.AuthError
	var cert *dsclient.CertificateError
	var link *dsclient.TransportError
	var secret *engine.SecretError
	switch {
	case errors.As(e.Err, &auth), errors.As(e.Err, &cert), errors.As(e.Err, &secret):
		return control.Credentials
	case errors.As(e.Err, &link):
		return control.Unreachable
	case e.Err != nil:
		return control.ServerFailed
	}
	for _, s := range e.Report.Stores {
		if s.Failed > 0 {
			return control.Partial
		}
	}
	return control.NoProblem
}
