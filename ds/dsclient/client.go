// Package dsclient is one exchange with a Data Sync Server as the device speaks it: initialization, client changes, server
// changes, statuses and maps, over any transport. What is asked of a local store is in Datastore.
package dsclient

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// Transport carries one message to the server and its answer back. It may send a message again when it got no answer:
// the server carries it out once.
type Transport interface {
	RoundTrip(ctx context.Context, url string, body []byte, enc syncml.Encoding) ([]byte, error)
}

// Purpose is what an exchange is for.
type Purpose int

// The purposes.
const (
	Sync    Purpose = iota // synchronize, inside the logical session if there is one
	Open                   // open a logical session and synchronize in it
	Greet                  // open a logical session without synchronizing (S3)
	Close                  // close the logical session (T3)
	Ask                    // get what Request.Ask names; in a logical session
	Preview                // ask what the filters of the stores would change, and change nothing (F13); in a logical session
)

// Kept is what an exchange leaves to the next one, in memory: the part of an object that came before the link was lost, if the server is a plain one
// that goes on where it stopped (225), and the anchors that were presented last.
type Kept struct {
	store string
	in    *inObject
	next  map[string]int64 // by local name of the datastore
}

// Request is what one exchange shall do.
type Request struct {
	Purpose Purpose
	Session string // id of the logical session, "" if there is none
	Stores  []StoreRequest
	Ask     []string // URIs; the answers are in the Report
}

// StoreRequest is how one datastore shall be synchronized.
type StoreRequest struct {
	Store  Datastore
	Alert  ds.Alert // 0 is two-way
	Filter *Filter  // to be told to the server; nil leaves what it knows
	// Conflicts is what shall become of them, at a server of ours; others decide by themselves. "" is ds.ConflictsMerge.
	Conflicts ds.ConflictPolicy
}

// Filter is what the device wants of a datastore, in the language of package filter.
type Filter = wire.Filter

// Client holds what stays the same from exchange to exchange.
type Client struct {
	Transport Transport
	URL       string
	DeviceID  string
	Version   string
	User      string
	Secret    string
	Nonce     string // of the last exchange, base64; the next one is in the Report
	Basic     bool   // send the password itself, for servers without md5; only over TLS
	Encoding  syncml.Encoding
	// MaxMsgSize is what the client takes in one message, and the most it sends, in octets; 0 is the usual size. Small ones are for
	// servers and proxies that cannot bear large messages.
	MaxMsgSize int
	Now        func() time.Time
	// Pause waits before a busy server is asked again; nil waits by the clock.
	Pause func(ctx context.Context, d time.Duration) error
	// Kept is shared by all exchanges of an account, one after the other. May be nil.
	Kept *Kept
	// Ahead works on while a message is under way: the answers to the last one are recorded and changes for the next one are read. Transport and
	// Datastores are then in use at the same time, each by one goroutine.
	Ahead bool
	// Progress is told of each batch that was confirmed or applied; may be nil.
	Progress func(store string, sent, received, total int)
}

// Report is what an exchange achieved, also when it failed in the middle.
type Report struct {
	Session    string        // the logical session that was opened or is used, "" if the server keeps none
	Lease      time.Duration // of a session that was opened
	Unknown    bool          // the server does not know the session: open anew at once (L12)
	Expires    time.Time     // when the credentials will age; zero if the server did not say (A9)
	NextNonce  string        // "" if the server sent none
	DevInf     []byte        // the server's device information as XML, if it came
	RoundTrips int
	BytesOut   int
	BytesIn    int
	Stores     []StoreReport
	Answers    map[string]string // to Request.Ask, by URI
}

// StoreReport is what became of one datastore.
type StoreReport struct {
	Name     string
	Alert    ds.Alert // as the server decided
	Sent     int      // changes the server took
	Received int      // changes that were applied
	Failed   int      // items that either side could not take
	Status   ds.Status
	// Filter is what the server knows of what the device wants; nil if it did not say. Refused is why it did not take a new one.
	Filter  *Filter
	Refused error
}

// AuthError is the server's word on credentials. Held means that it keeps the logical session until new ones come (A3).
type AuthError struct {
	Status ds.Status
	Held   bool
}

func (e *AuthError) Error() string {
	if e.Held {
		return fmt.Sprintf("server answered %v: the password has changed", e.Status)
	}
	return fmt.Sprintf("server answered %v: user name or password is wrong", e.Status)
}

// CertificateError says that the certificate of this device was refused before anything was said, so that no logical session could be ended
// (A10). A Transport returns it.
type CertificateError struct {
	What   string // is wrong
	Remedy string // what the user can do
}

func (e *CertificateError) Error() string { return e.What + "; nothing is lost; " + e.Remedy }

// TransportError says that a message or its answer did not get through. It tells nothing about the data.
type TransportError struct{ Err error }

func (e *TransportError) Error() string { return "cannot reach the server: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.Err }

// Run makes one exchange. The Report is valid with an error, too. Errors are *AuthError, *CertificateError, *TransportError, *BusyError, ds.Status for what
// else the server refuses, or a local error.
func (c *Client) Run(ctx context.Context, req Request) (Report, error) {
	r := run{nonce: c.Nonce, req: req}
	for {
		report, err := c.attempt(ctx, r.req, r.nonce)
		report.add(r.spent)
		if r.again(&report, err) {
			continue
		}
		r.complete(&report)
		var stale *challenge
		if errors.As(err, &stale) {
			err = stale.auth
		}
		return report, err
	}
}

// run is the attempts that make one Run. Each of the causes below is mended once.
type run struct {
	nonce                          string
	req                            Request
	spent                          Report           // what former attempts cost
	refused                        map[string]error // filters, by datastore
	challenged, behind, unfiltered bool
}

// again tells whether another attempt, as a new session, may do better.
func (r *run) again(report *Report, err error) bool {
	var stale *challenge
	nonce := report.nonce(r.nonce)
	switch {
	case errors.As(err, &stale) && !r.challenged:
		// The nonce may be the only thing that was wrong, e.g. in the very first exchange (SyncEvolution does the same, peers.md 6).
		r.challenged, nonce = true, stale.nonce
	case errors.Is(err, errBehind) && !r.behind:
		r.behind = true
	case errors.Is(err, errUnfiltered) && !r.unfiltered:
		r.unfiltered = true
		r.dropFilters(report)
	default:
		return false
	}
	r.nonce, r.spent = nonce, *report
	return true
}

// nonce is the server's last, former if it sent none.
func (r *Report) nonce(former string) string {
	if r.NextNonce != "" {
		return r.NextNonce
	}
	return former
}

// add counts what an attempt before this one cost.
func (r *Report) add(first Report) {
	r.RoundTrips += first.RoundTrips
	r.BytesIn += first.BytesIn
	r.BytesOut += first.BytesOut
}

// challenge is a refusal that came with a new nonce.
type challenge struct {
	auth  *AuthError
	nonce string
}

func (e *challenge) Error() string { return e.auth.Error() }

func (c *Client) attempt(ctx context.Context, req Request, nonce string) (Report, error) {
	e := &exchange{Client: c, nonce: nonce, req: req, session: newSessionID(c.now()), url: c.URL, maxMsg: minServerMsg, sent: make(map[ref]sentChange)}
	for _, s := range req.Stores {
		if s.Alert == 0 {
			s.Alert = ds.AlertTwoWay
		}
		e.stores = append(e.stores, &storeExchange{Datastore: s.Store, alert: s.Alert, want: s.Alert, filter: s.Filter, conflicts: s.Conflicts})
	}
	err := e.run(ctx)
	e.keep()
	e.report.Session = e.logical()
	for _, st := range e.stores {
		e.report.Stores = append(e.report.Stores, st.report())
	}
	return e.report, err
}

// minServerMsg is the size of a message to a server that has not said what it takes.
const minServerMsg = 16 << 10

func (c *Client) ownLimit() int {
	if c.MaxMsgSize > 0 {
		return min(max(c.MaxMsgSize, minMsgSize), wire.MaxMsgSize)
	}
	return wire.MaxMsgSize
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// newSessionID names a DS session: short, and different from the last one.
func newSessionID(now time.Time) string {
	return strconv.FormatInt(now.UnixMicro()%(36*36*36*36*36*36*36), 36)
}

func (c *Client) devInf(stores []*storeExchange) *syncml.DevInf {
	var list []wire.Datastore
	for _, st := range stores {
		list = append(list, wire.Datastore{URI: st.Local(), Kind: st.Kind()})
	}
	return wire.DevInf(c.DeviceID, "workstation", c.Version, list)
}

// DigestURI is what to Ask for to compare a datastore of the server with the one here, below a prefix of the ids; see package digest.
func DigestURI(remote, prefix string) string {
	return wire.DigestURI + strings.TrimPrefix(remote, "./") + "/" + prefix
}
