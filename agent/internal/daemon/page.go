package daemon

import (
	"net/http"

	"github.com/alwayson-sync/alwayson/agent/control"
)

func (d *Daemon) page(r *http.Request) (any, error) {
	url, err := d.Page(r.Context())
	return control.PageURL{URL: url}, err
}

// examine looks at what the agent depends on, as far as the program that runs it can.
func (d *Daemon) examine(r *http.Request) (any, error) {
	if d.Examine == nil {
		return nil, &control.Error{Code: http.StatusConflict, Text: "the program that runs this agent has no doctor; type alwayson doctor"}
	}
	return d.Examine(r.Context()), nil
}
