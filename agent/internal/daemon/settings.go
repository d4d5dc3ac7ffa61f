package daemon

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/managed"
	"github.com/alwayson-sync/alwayson/dm/mo"
)

// errFixed is the answer of an agent whose settings cannot change.
var errFixed = &control.Error{Code: http.StatusConflict, Text: "the settings of this agent are fixed by the program that runs it"}

func (d *Daemon) settings(*http.Request) (any, error) {
	if d.Settings == nil {
		return nil, errFixed
	}
	out := []control.Setting{}
	for _, v := range d.Settings.Values() {
		s := control.Setting{Key: v.Key, Value: v.Value, Origin: string(v.Origin), Where: v.Where, Locked: v.Locked, Effect: v.Effect.String(), Set: timeOrNil(v.At)}
		explain(&s)
		out = append(out, s)
	}
	return out, nil
}

// explain adds what the table says of a setting.
func explain(s *control.Setting) {
	row, ok := mo.Find(s.Key)
	if !ok {
		return
	}
	s.Value = row.Shown(s.Value)
	s.Type, s.Default, s.OneOf, s.Node, s.Help = row.Type.String(), row.Default, row.OneOf, row.Of(s.Key).String(), row.Help
	if row.Type != mo.Integer {
		return
	}
	s.Min = &row.Min
	if row.Max != 0 {
		s.Max = &row.Max
	}
}

// tree is the management tree as servers see it, but for rights.
func (d *Daemon) tree(r *http.Request) (any, error) {
	if d.Settings == nil {
		return nil, errFixed
	}
	list, err := d.Tree(r.Context())
	out := []control.Node{}
	for _, e := range list {
		n := control.Node{URI: e.Path.String(), Format: string(e.Value.Format), Secret: e.Secret, ACL: e.ACL}
		if n.Value = string(e.Value.Data); !utf8.ValidString(n.Value) {
			n.Value = base64.StdEncoding.EncodeToString(e.Value.Data)
		}
		out = append(out, n)
	}
	return out, err
}

// setSettings changes settings together.
func (d *Daemon) setSettings(r *http.Request) (any, error) {
	if d.Settings == nil {
		return nil, errFixed
	}
	var values map[string]*string
	if err := json.NewDecoder(r.Body).Decode(&values); err != nil {
		return nil, badRequest(err)
	}
	effect, err := d.Settings.Set(managed.User, values)
	var mistakes *config.Error
	switch {
	case errors.Is(err, managed.ErrLocked):
		return nil, &control.Error{Code: http.StatusForbidden, Text: err.Error()}
	case errors.As(err, &mistakes):
		return nil, &control.Error{Code: http.StatusBadRequest, Text: "nothing is changed: " + strings.Join(mistakes.Mistakes, "; ")}
	case err != nil:
		return nil, err
	}
	return control.SettingsChanged{Effect: effect.String()}, nil
}
