// Package dsserver is a Data Sync Server: a SyncML message comes in, is carried out on the store in one transaction,
// and its answer goes out. It keeps logical sessions and tells its owner which collections have changed.
package dsserver

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/internal/email"
	"github.com/alwayson-sync/alwayson/ds/internal/form"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
	"github.com/alwayson-sync/alwayson/pim/sif"
)

// Datastore is one datastore that the server offers to every user.
type Datastore struct {
	URI  string
	Kind pim.Kind
}

// DefaultDatastores are the datastores of a server that is not told otherwise (G4).
func DefaultDatastores() []Datastore {
	return []Datastore{
		{"contacts", pim.Contacts}, {"calendar", pim.Calendar}, {"tasks", pim.Tasks}, {"notes", pim.Notes}, {"mail", pim.Mail},
	}
}

// Options of a Server. Store and Datastores must be set.
type Options struct {
	Store      dsstore.Store
	Datastores []Datastore
	ID         string // DevID in the server's device information
	Version    string
	// Lease is how long a logical session lives without an exchange (N10). Default 30 days: a phone in a drawer.
	Lease time.Duration
	// Authenticator says what right credentials are worth; nil is: they never age by themselves.
	Authenticator Authenticator
	// Brake holds deletions of a device that are many; the zero Brake holds none.
	Brake reconcile.Brake
	// Changed is called after a commit that changed a collection, with the device that caused it ("" for the server).
	// It must not block.
	Changed func(c dsstore.Collection, by string)
	// Answered is called when a device has come to the end of an exchange, so that it may be notified again. It must not block.
	Answered func(device string)
	// Asked tells when a device was notified, if it has not answered since: that is why it makes an exchange.
	Asked func(device string) (at time.Time, ok bool)
	// Busy is how long a device waits for an answer before it is told that the server is busy, and may ask for the result later (protocol.md C.7): less
	// than proxies wait. 0 is as long as it takes.
	Busy time.Duration
	Now  func() time.Time
	Log  *slog.Logger
}

// Server answers messages. It may be used from many goroutines.
type Server struct {
	o       Options
	places  chan struct{} // one for each message that is being worked on
	closing sync.Once
	rooms   rooms
}

const defaultLease = 30 * 24 * time.Hour

// New makes a server. It starts nothing.
func New(o Options) *Server {
	if o.Lease == 0 {
		o.Lease = defaultLease
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Authenticator == nil {
		o.Authenticator = MaxAge(0)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func(dsstore.Collection, string) {}
	}
	if o.Answered == nil {
		o.Answered = func(string) {}
	}
	if o.Asked == nil {
		o.Asked = func(string) (at time.Time, ok bool) { return at, false }
	}
	if o.ID == "" {
		o.ID = "alwayson-server"
	}
	return &Server{o: o, places: make(chan struct{}, maxAtOnce), rooms: newRooms(o.Now)}
}

// Handle answers one message. An error means that the message could not be understood or carried out; nothing of it was.
func (s *Server) Handle(ctx context.Context, body []byte, enc syncml.Encoding) ([]byte, error) {
	patience, stop := s.patience()
	defer stop()
	if !enqueue(ctx, s.places, patience) {
		return nil, errors.Join(ErrOverloaded, ctx.Err())
	}
	m, err := decode(body, enc)
	if err != nil {
		<-s.places
		return nil, err
	}
	x, ok := s.rooms.exchangeOf(&m.Header)
	if !ok {
		<-s.places
		return nil, ErrOverloaded
	}
	if !enqueue(ctx, x.turn, patience) {
		s.leave(x)
		return s.busy(x, m, enc)
	}
	j := s.start(ctx, x, m, body, enc)
	select {
	case <-j.done:
		return j.out, j.err
	case <-patience:
		return s.busy(x, m, enc)
	}
}

func decode(body []byte, enc syncml.Encoding) (*syncml.Message, error) {
	m, err := syncml.Decode(body, enc)
	if err != nil {
		return nil, &MessageError{err}
	}
	if m.Header.Source.URI == "" || m.Header.SessionID == "" {
		return nil, &MessageError{errors.New("cannot answer message: its header names no device or no session")}
	}
	return m, nil
}

// leave frees the place of a message.
func (s *Server) leave(x *exchange) {
	s.rooms.leave(x)
	<-s.places
}

// work answers one message. It is the exchange's turn.
func (s *Server) work(ctx context.Context, x *exchange, m *syncml.Message, body []byte, enc syncml.Encoding) ([]byte, error) {
	if again := x.resent(m, body); again != nil {
		return again, nil
	}
	if out, err := x.result(m, enc); out != nil || err != nil {
		return out, err
	}
	out, changed, err := s.run(ctx, x, m, enc)
	if err != nil {
		s.rooms.drop(x)
		return nil, err
	}
	x.remember(m, body, out)
	if x.authenticated {
		s.rooms.enter(x)
	}
	if x.over {
		s.rooms.finish(x)
	}
	for c := range changed {
		s.o.Changed(c, x.deviceID)
	}
	if x.over && x.authenticated {
		s.o.Answered(x.deviceID)
	}
	return out, nil
}

// MessageError says that a message is malformed. Its sender is at fault.
type MessageError struct{ Err error }

func (e *MessageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *MessageError) Unwrap() error { return e.Err }

// run carries a message out in one transaction.
func (s *Server) run(ctx context.Context, x *exchange, m *syncml.Message, enc syncml.Encoding) (out []byte, changed map[dsstore.Collection]bool, err error) {
	err = s.o.Store.Update(ctx, func(tx dsstore.Tx) error {
		over := x.over
		r := &reply{ctx: ctx, s: s, x: x, tx: tx, m: m, enc: enc, now: s.o.Now(), changed: make(map[dsstore.Collection]bool)}
		if err := r.process(); err != nil {
			return err
		}
		changed = r.changed
		if out, err = r.build(); err != nil {
			return err
		}
		return r.journal(over)
	})
	return out, changed, err
}

// Sweep ends the logical sessions whose lease has run out (N10, L11) and returns how many there were.
func (s *Server) Sweep(ctx context.Context) (ended int, err error) {
	now := s.o.Now()
	err = s.o.Store.Update(ctx, func(tx dsstore.Tx) error {
		all, err := tx.Sessions("")
		for _, l := range all {
			if err != nil {
				return err
			}
			if l.Ending == "" && !l.Open(now) {
				ended++
				err = tx.PutSession(end(l, ds.Destroyed, "lease ran out", now))
			}
		}
		return err
	})
	return ended, err
}

// newGUID is the time and 80 random bits as text that sorts by age, so that new items lie beside each other in the database.
func newGUID(now time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(now.UnixMilli())<<16)
	rand.Read(b[6:]) //nolint:errcheck // it never fails
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// newID is 128 random bits as text.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// datastore finds a datastore by the URI a device uses, with or without "./" (protocol.md J.1).
func (s *Server) datastore(uri string) (Datastore, bool) {
	name := strings.TrimPrefix(uri, "./")
	for _, d := range s.o.Datastores {
		if d.URI == name {
			return d, true
		}
	}
	return Datastore{}, false
}

// devInf is our device information for a peer that speaks this version of SyncML.
func (s *Server) devInf(version string) *syncml.DevInf {
	var stores []wire.Datastore
	for _, d := range s.o.Datastores {
		stores = append(stores, wire.Datastore(d))
	}
	d := wire.DevInf(s.o.ID, "server", s.o.Version, stores)
	for i := range d.DataStores {
		addOld(&d.DataStores[i], stores[i].Kind)
		addObjects(&d.DataStores[i], stores[i].Kind, version)
		addFilters(&d.DataStores[i], stores[i].Kind)
	}
	if d.VerDTD = version; version != "1.2" {
		for i := range d.DataStores {
			d.DataStores[i].FilterRx, d.DataStores[i].FilterCaps = nil, nil // came with 1.2
		}
	}
	if version == "1.0" {
		d.UTC, d.SupportLargeObjs, d.SupportNumberOfChanges = false, false, false // came with 1.1
	}
	return d
}

// addObjects says that a datastore of messages knows the e-mail and folder objects and their hierarchy (protocol.md C.13).
func addObjects(d *syncml.DataStore, k pim.Kind, version string) {
	if k != pim.Mail || version != "1.2" {
		return
	}
	for _, c := range email.CTCaps() {
		d.Rx, d.Tx = append(d.Rx, c.Type), append(d.Tx, c.Type)
	}
	d.CTCaps, d.SupportHierarchicalSync = email.CTCaps(), true
}

// addFilters says by what a datastore can be filtered (protocol.md A.3).
func addFilters(d *syncml.DataStore, k pim.Kind) {
	keywords, properties := filter.Capabilities(k)
	if len(keywords)+len(properties) == 0 {
		return
	}
	d.FilterRx = []syncml.ContentType{{Type: wire.FilterCGI, Version: "1.0"}}
	d.FilterCaps = []syncml.FilterCap{{Type: d.RxPref, Keywords: keywords, Properties: properties}}
}

// addOld lists the forms of old phones and of Funambol's clients, which are converted for them.
func addOld(d *syncml.DataStore, k pim.Kind) {
	if typ := form.OldType(k); typ != "" {
		old := syncml.ContentType{Type: typ, Version: form.OldVersion(k)}
		d.Rx, d.Tx = append(d.Rx, old), append(d.Tx, old)
	}
	if typ := sif.TypeOf(k); typ != "" {
		xml := syncml.ContentType{Type: typ, Version: "1.0"}
		d.Rx, d.Tx = append(d.Rx, xml), append(d.Tx, xml)
	}
}
