// Package control is the control API of a running agent, version 1: what it tells and takes over its local socket, and a Go client
// for it. Command line, tray and tests use it alike. Fields are added, never renamed; who reads must ignore what it does not know.
package control

import "time"

// Status is where the agent stands (GET /v1/status).
type Status struct {
	Version string `json:"version"`
	Device  string `json:"device"`
	User    string `json:"user"`
	Server  string `json:"server"`

	AlwaysOn bool      `json:"always_on"`
	State    string    `json:"state"` // off, opening, idle, syncing, retrying, lost, held, paused
	Since    time.Time `json:"since"`
	// Summary is the state as one sentence, Advice what to type if the user has to do something ("" if not).
	Summary string `json:"summary"`
	Advice  string `json:"advice,omitempty"`
	Reason  string `json:"reason,omitempty"`
	// NoSecret is why the secret for the server is not to be had now, "" if it is. Nobody has refused anything then.
	NoSecret string `json:"no_secret,omitempty"`
	// Problem is Credentials while credentials or a certificate have to be replaced or are not to be had, for the server or for the broker (A1, A10).
	Problem Problem `json:"problem,omitempty"`

	Session *Session `json:"session,omitempty"`      // open, nil if there is none
	Ended   *Ended   `json:"last_session,omitempty"` // that ended last
	// Running is why an exchange runs at this moment, "" if none does: then there is no transport to the server (N8).
	Running  string     `json:"running,omitempty"`
	Until    *time.Time `json:"paused_until,omitempty"` // nil while paused is: until the user resumes
	Next     *time.Time `json:"next,omitempty"`         // attempt, probe or safety check
	Verified *time.Time `json:"verified,omitempty"`     // both sides agreed, end of the last good exchange
	Attempts int        `json:"failed_attempts,omitempty"`

	// SecretExpires is when the secret will age, if the server has said so (A9).
	SecretExpires *time.Time `json:"secret_expires,omitempty"`

	// Certificates are those of this device, for the server and for the broker.
	Certificates []Certificate `json:"certificates,omitempty"`

	// Network is the interface, or those, over which data leaves; "" if there is none. NotAllowed tells that it may not leave over it.
	Network    string `json:"network,omitempty"`
	NotAllowed bool   `json:"network_not_allowed,omitempty"`
	// Withheld is why nothing is sent by itself although it could be, "" if it is: the network, or too little power.
	Withheld string `json:"withheld,omitempty"`
	// Portal: something in the network answers in place of the server, and wants the user to sign in.
	Portal bool `json:"portal,omitempty"`
	// Proxy is what the configuration says of it.
	Proxy string `json:"proxy,omitempty"`

	Push   Push    `json:"push"`
	Stores []Store `json:"stores"`

	// Crash is the last one of the agent, nil if it never crashed.
	Crash *Crash `json:"last_crash,omitempty"`
	// ServerDevInf is the device information of the server as it sent it last, an XML document (N2).
	ServerDevInf string `json:"server_device_information,omitempty"`
}

// InSync tells whether everything the agent knows of is on both sides. An item with a problem, a store that
// cannot be read, or one that differed from the server when both were compared last, is not.
func (s *Status) InSync() bool {
	for _, st := range s.Stores {
		if st.Differ > 0 || st.Pending > 0 || st.Held > 0 || st.Problems > 0 || st.Unavailable != "" {
			return false
		}
	}
	return s.AlwaysOn && s.State == "idle" && s.Verified != nil
}

// Crash is an end that nobody wanted.
type Crash struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	File   string    `json:"file"` // all that is known of it, for who develops the program
}

// Session is an open logical session.
type Session struct {
	ID     string    `json:"id"`
	Opened time.Time `json:"opened"`
}

// Ended is a logical session that is over.
type Ended struct {
	Ending string    `json:"ending"` // finalized, closed, destroyed, terminated
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// Push is the road by which the server wakes the device.
type Push struct {
	State       string     `json:"state"` // none, connecting, connected, refused, held
	Broker      string     `json:"broker,omitempty"`
	Via         string     `json:"via,omitempty"` // the address that is in use, if it is another one than Broker
	Reason      string     `json:"reason,omitempty"`
	LastTrigger *time.Time `json:"last_trigger,omitempty"`
	// NeedsCredentials: the broker has refused those there are, or they are not to be had (held). They are not tried again; Advice is what to type.
	NeedsCredentials bool   `json:"needs_credentials,omitempty"`
	Advice           string `json:"advice,omitempty"`
}

// Certificate is one by which this device proves in TLS who it is.
type Certificate struct {
	For     string    `json:"for"` // server, broker
	File    string    `json:"file"`
	Expires time.Time `json:"expires"`
	Problem string    `json:"problem,omitempty"` // as far as this device can tell
}

// Store is one local store.
type Store struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Dir      string `json:"dir"`
	Items    int    `json:"items"`
	Pending  int    `json:"pending"`  // changes the server has not got
	Problems int    `json:"problems"` // items that cannot be synchronized; see Pending
	Held     int    `json:"held"`     // deletions that wait for the user, see Hold
	// Oldest is when the oldest pending change came: how far the server is behind (G5, G6).
	Oldest *time.Time `json:"pending_since,omitempty"`
	// Unavailable is why the store cannot be read, "" if it can. It deletes nothing.
	Unavailable string `json:"unavailable,omitempty"`
	// Polled is why the store cannot be watched, and what to type, "" if it can. Changes of it are found at each look, every 30 seconds.
	Polled string  `json:"polled,omitempty"`
	Change *Change `json:"last_change,omitempty"`
	// Compared is when this store was compared with the server last, nil if never; Differ is how many items differed then, Differing some of them.
	Compared  *time.Time `json:"compared,omitempty"`
	Differ    int        `json:"differ,omitempty"`
	Differing []string   `json:"differing,omitempty"`
	// Sent, Received and Total of the running exchange.
	Sent     int `json:"sent,omitempty"`
	Received int `json:"received,omitempty"`
	Total    int `json:"total,omitempty"`
}

// Change is the last exchange that changed a store.
type Change struct {
	At   time.Time `json:"at"`
	From string    `json:"from"` // server, device, both
}

// Exchange is one exchange of the past (GET /v1/log), or the outcome of one that was waited for.
type Exchange struct {
	At         time.Time       `json:"at"`
	Took       time.Duration   `json:"took_ns"`
	Cause      string          `json:"cause"`
	Error      string          `json:"error,omitempty"`
	Problem    Problem         `json:"problem,omitempty"`
	Session    string          `json:"session,omitempty"`
	RoundTrips int             `json:"round_trips"`
	BytesOut   int             `json:"bytes_out"`
	BytesIn    int             `json:"bytes_in"`
	Stores     []StoreExchange `json:"stores,omitempty"`
}

// Problem is the sort of failure of an exchange.
type Problem string

// The sorts. Each has an exit code of the command line.
const (
	NoProblem    Problem = ""
	Unreachable  Problem = "unreachable" // it will be tried again
	Credentials  Problem = "credentials" // the user has to give new ones
	NotOn        Problem = "off"         // Always-On is off, and what was asked needs it
	ServerFailed Problem = "failed"      // the server or a store failed
	Partial      Problem = "partial"     // some items could not be synchronized
)

// StoreExchange is what became of one datastore.
type StoreExchange struct {
	Name     string `json:"name"`
	Alert    int    `json:"alert"` // sync type, 200 to 205
	Sent     int    `json:"sent"`
	Received int    `json:"received"`
	Failed   int    `json:"failed"`
}

// Pending is an item that waits (GET /v1/pending).
type Pending struct {
	Store   string `json:"store"`
	Item    string `json:"item"` // its file
	Change  string `json:"change"`
	Problem string `json:"problem,omitempty"` // why it cannot be synchronized; it is tried again when it changes
}

// SyncRequest is the body of POST /v1/sync.
type SyncRequest struct {
	Wait bool `json:"wait"`
	// Mode is a sync type like "refresh-from-server" (ds.ParseSyncType) for Stores, or for all if that is empty. Everything else is
	// synchronized two-way.
	Mode   string   `json:"mode,omitempty"`
	Stores []string `json:"stores,omitempty"`
	// Filter is wanted besides what is wanted anyway, for so long: what a traveller takes along (M3, M9). When the time is over it leaves the
	// device again; on the server nothing is deleted.
	Filter string        `json:"filter,omitempty"`
	For    time.Duration `json:"for_ns,omitempty"`
	// AnyNetwork synchronizes once also over a network that is not allowed.
	AnyNetwork bool `json:"any_network,omitempty"`
}
