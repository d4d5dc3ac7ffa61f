package manage

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// ending is whether a session has ended, and why before its time.
type ending struct {
	done bool
	err  error
}

// pending are the keys of what a device has to be told.
func pending(all []dsstore.Setting) (keys []string) {
	for _, s := range all {
		if s.State == dsstore.SettingPending {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// event is what the journal of a device says of a session that has ended: what it was about, and what became of it (S8).
func (l *live) event(err error, at time.Time) dsstore.Event {
	return dsstore.Event{What: dsstore.Managed, Why: l.cause(), Outcome: l.outcome(err), At: at}
}

func (l *live) cause() string {
	switch r := l.Report(); {
	case len(l.wanted) > 0:
		return "wanted: " + strings.Join(l.wanted, ", ")
	case len(r.Events) > 0:
		return "the device had something to tell"
	case r.ByServer:
		return "the server had asked for it"
	}
	return "the device asked for it"
}

// outcome is how many settings became what, with the reason of one that failed by itself and not with others.
func (l *live) outcome(err error) string {
	applied, failed, why := 0, 0, ""
	for _, o := range l.Report().Outcomes {
		if _, group := strconv.ParseInt(o.ID, 10, 64); group != nil {
			continue
		}
		if o.Applied() {
			applied++
		} else if failed++; why == "" || o.Status != ds.StatusRolledBack && o.Status != ds.StatusNotExecuted {
			why = refusal(o)
		}
	}
	text := fmt.Sprintf("%d applied", applied)
	if failed > 0 {
		text += fmt.Sprintf(", %d failed: %s", failed, why)
	}
	for _, e := range l.Report().Events {
		text += "; returned from " + e.URI + ": " + string(e.Data)
	}
	if err != nil {
		text += "; " + err.Error()
	}
	return text
}
