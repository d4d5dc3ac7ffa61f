package managed

import (
	"errors"
	"strings"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds"
)

// object is the part of the settings that lies below one node of the management tree.
type object struct {
	s  *Settings
	at dm.Path
}

// Objects are the settings as the management tree has them, by address.
func (s *Settings) Objects() map[string]tree.Object {
	out := map[string]tree.Object{}
	for _, at := range []dm.Path{{"DS"}, {"NAP"}, {"Proxy"}, {"Vendor", "AlwaysOn"}} {
		out[at.String()] = &object{s, at}
	}
	return out
}

// Nodes implements tree.Object.
func (o *object) Nodes() (map[string]dm.Value, error) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	values := map[string]string{mo.Locked: o.s.book.Entries[mo.Locked].Value}
	for _, key := range o.s.live.Keys() {
		values[key], _ = o.s.live.Get(key)
	}
	out := map[string]dm.Value{}
	for key, text := range values {
		setting, _ := mo.Find(key)
		if rest, ok := setting.Of(key).Below(o.at); ok {
			out[strings.Join(rest, "/")] = setting.Value(text)
		}
	}
	return out, nil
}

var errSetting = dm.Refuse(ds.StatusNotAllowed, "settings can be replaced and deleted only")

// Check implements tree.Object.
func (o *object) Check(c tree.Change) error {
	setting, _, ok := mo.At(o.at.Child(c.Path...))
	if !ok {
		return errSetting
	}
	if c.New == nil {
		return nil // what was set is taken back
	}
	if err := setting.Check(setting.Text(*c.New)); err != nil {
		return dm.Refuse(ds.StatusMediaType, "%s: %w", setting.Key, err)
	}
	return nil
}

// Commit implements tree.Object.
func (o *object) Commit(changes []tree.Change) error {
	values := map[string]*string{}
	for _, c := range changes {
		setting, key, ok := mo.At(o.at.Child(c.Path...))
		if !ok {
			return errSetting
		}
		values[key] = nil
		if c.New != nil {
			text := setting.Text(*c.New)
			values[key] = &text
		}
	}
	_, err := o.s.Set(Pushed, values)
	var mistakes *config.Error
	if errors.As(err, &mistakes) {
		return dm.Refuse(ds.StatusFailed, "%s", strings.Join(mistakes.Mistakes, "; "))
	}
	return err
}
