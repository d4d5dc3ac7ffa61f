package daemon

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/session"
)

func (d *Daemon) pause(r *http.Request) (any, error) {
	var req control.PauseRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return nil, badRequest(err)
	}
	var ev session.Pause
	if req.Until != nil {
		if ev.Until = *req.Until; !ev.Until.After(time.Now()) {
			return nil, badRequest(errors.New("the end of the pause is over already"))
		}
	}
	s, err := d.Engine.Tell(r.Context(), ev)
	if err != nil {
		return nil, err
	}
	if !s.Session.On {
		return nil, &control.Error{Code: http.StatusConflict, Problem: control.NotOn, Text: "Always-On is off, so there is nothing to pause; type alwayson on"}
	}
	return d.status(), nil
}

// pausedSummary tells of the pause, and of what waits at its end.
func pausedSummary(r session.Record, waiting int) string {
	until := "paused until you resume"
	if !r.Until.IsZero() {
		until = "paused until " + clock(r.Until, time.Now())
	}
	if r.Refused {
		until += "; the server refused the credentials, and nothing is lost"
	}
	return until + wait(waiting)
}

// clock is the time of day, with the date if that is another one.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("Mon 2 Jan 15:04")
}
