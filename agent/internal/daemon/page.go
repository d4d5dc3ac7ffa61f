package daemon

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/alwayson-sync/alwayson/agent/control"
)

func (d *Daemon) page(r *http.Request) (any, error) {
	var req control.PageRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil && !errors.Is(err, io.EOF) { // without one, the address is for who has it
		return nil, badRequest(err)
	}
	url, err := d.Page(r.Context(), req)
	return control.PageURL{URL: url}, err
}

// examine looks at what the agent depends on, as far as the program that runs it can.
func (d *Daemon) examine(r *http.Request) (any, error) {
	if d.Examine == nil {
		return nil, &control.Error{Code: http.StatusConflict, Text: "the program that runs this agent has no doctor; type alwayson doctor"}
	}
	return d.Examine(r.Context()), nil
}
