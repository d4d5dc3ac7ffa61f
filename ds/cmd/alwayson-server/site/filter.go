package site

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/scope"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// FilterInfo is what a device wants of a datastore: everything if Filter is "".
type FilterInfo struct {
	Device string     `json:"device"`
	Store  string     `json:"store"`
	Filter string     `json:"filter"`
	Travel string     `json:"travel,omitempty"` // wanted besides until Until
	Until  *time.Time `json:"until,omitempty"`
	By     string     `json:"by,omitempty"` // a device, or a person with "@" before
	Set    *time.Time `json:"set,omitempty"`
}

// Filters lists the filters of a device.
func Filters(ctx context.Context, store dsstore.Store, device string) (list []FilterInfo, err error) {
	err = store.View(ctx, func(tx dsstore.Tx) error {
		d, err := tx.Device(device)
		if err != nil {
			return notFound(err, "there is no device "+device)
		}
		for _, s := range dsserver.DefaultDatastores() {
			f, err := tx.Filter(device, dsstore.Collection{User: d.User, Store: s.URI})
			if err != nil {
				return err
			}
			list = append(list, filterInfo(device, s.URI, f))
		}
		return nil
	})
	return list, err
}

func filterInfo(device, store string, f dsstore.Filter) FilterInfo {
	i := FilterInfo{Device: device, Store: store, Filter: f.Text, By: f.By}
	if !f.At.IsZero() {
		i.Set = &f.At
	}
	if f.Travel != "" && time.Now().Before(f.Until) {
		i.Travel, i.Until = f.Travel, &f.Until
	}
	return i
}

// SetFilter changes what a device wants of a datastore (F1, F4), on behalf of somebody. With preview it only tells what that would
// change (F13). The device is told by itself, if it makes a difference to it (F8).
func SetFilter(ctx context.Context, store dsstore.Store, by, device, uri, text string, preview bool) (n scope.Difference, err error) {
	f, kind, err := parseFilter(uri, text)
	if err != nil {
		return n, err
	}
	err = store.View(ctx, func(tx dsstore.Tx) error { // to count takes a while, in which others shall write
		d, err := tx.Device(device)
		if err != nil {
			return notFound(err, "there is no device "+device)
		}
		c := dsstore.Collection{User: d.User, Store: uri}
		stored, err := changed(tx, device, c, f, by)
		if err == nil {
			n, err = differences(tx, device, c, scope.New(stored, kind, time.Now()))
		}
		return err
	})
	if err != nil || preview {
		return n, err
	}
	return n, store.Update(ctx, func(tx dsstore.Tx) error {
		d, err := tx.Device(device)
		if err != nil {
			return notFound(err, "there is no device "+device)
		}
		return putFilterOf(tx, d, uri, f, by)
	})
}

// SetFilters changes what all devices of a user want of a datastore, those of everybody if user is "", and returns which they are. Each of them is
// told by itself, if it makes a difference to it (F8).
func SetFilters(ctx context.Context, store dsstore.Store, by, user, uri, text string) (devices []string, err error) {
	f, _, err := parseFilter(uri, text)
	if err != nil {
		return nil, err
	}
	err = store.Update(ctx, func(tx dsstore.Tx) error {
		list, err := tx.Devices(user)
		for _, d := range list {
			if err == nil {
				err = putFilterOf(tx, d, uri, f, by)
			}
			devices = append(devices, d.ID)
		}
		return err
	})
	if err == nil && len(devices) == 0 {
		err = Mistake("there is no such device")
	}
	return devices, err
}

// parseFilter reads a filter for a datastore; what is wrong with it is a Mistake.
func parseFilter(uri, text string) (f filter.Filter, k pim.Kind, err error) {
	k, ok := kindOf(uri)
	if !ok {
		return f, k, Mistake(fmt.Sprintf("there is no datastore %s", uri))
	}
	f, err = filter.Parse(text)
	if err == nil {
		err = f.Validate(k)
	}
	if err != nil {
		err = Mistake(err.Error())
	}
	return f, k, err
}

// changed is the filter of a device with another text.
func changed(tx dsstore.Tx, device string, c dsstore.Collection, f filter.Filter, by string) (dsstore.Filter, error) {
	stored, err := tx.Filter(device, c)
	stored.Text, stored.By, stored.At = f.String(), by, time.Now()
	return stored, err
}

func putFilterOf(tx dsstore.Tx, d dsstore.Device, uri string, f filter.Filter, by string) error {
	c := dsstore.Collection{User: d.User, Store: uri}
	stored, err := changed(tx, d.ID, c, f, by)
	if err != nil {
		return err
	}
	return tx.PutFilter(d.ID, c, stored)
}

func kindOf(uri string) (pim.Kind, bool) {
	for _, d := range dsserver.DefaultDatastores() {
		if d.URI == uri {
			return d.Kind, true
		}
	}
	return "", false
}

// differences counts what lies between what a device has and a scope.
func differences(tx dsstore.Tx, device string, c dsstore.Collection, s scope.Scope) (n scope.Difference, err error) {
	now, after := time.Now(), int64(0)
	for {
		page, err := tx.Scope(device, c, after, scope.Page)
		if err != nil || len(page) == 0 {
			return n, err
		}
		for i := range page {
			look, err := s.Look(tx, c, &page[i], false)
			if err != nil {
				return n, err
			}
			n.Count(s.Judge(&page[i], look, now))
		}
		after = page[len(page)-1].Item.Rev
	}
}

// filterRequest is the body of PUT /v1/devices/{id}/filters/{store}.
type filterRequest struct {
	Filter  string `json:"filter"`
	Preview bool   `json:"preview"`
}

func putFilter(c *call, device string) (any, error) {
	var in filterRequest
	if err := c.body(&in); err != nil {
		return nil, err
	}
	n, err := SetFilter(c.Context(), c.site.store, "@"+c.who.Name, device, c.PathValue("store"), in.Filter, in.Preview)
	if errors.Is(err, dsstore.ErrNotFound) {
		return nil, Mistake("there is no such datastore")
	}
	return n, err
}

// putFilters changes the filter of all devices, or of those of a user.
func putFilters(c *call) (any, error) {
	var in struct {
		User   string `json:"user"`
		Filter string `json:"filter"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	devices, err := SetFilters(c.Context(), c.site.store, "@"+c.who.Name, in.User, c.PathValue("store"), in.Filter)
	if err == nil {
		c.site.notifier.Filtered(devices...)
	}
	return map[string]int{"devices": len(devices)}, err
}
