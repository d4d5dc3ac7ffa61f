package page

import (
	"cmp"
	"fmt"
	"net/http"
)

// events tells the page that something may have changed, and nothing else: it fetches what it shows as ever.
func (h *house) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	for s, err := range h.agent.Watch(r.Context()) {
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", cmp.Or(s.State, "unknown")); err != nil || flush.Flush() != nil {
			return
		}
	}
}
