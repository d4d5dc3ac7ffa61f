package dsstore

import "time"

// SettingState is how far a setting has come on its device (S8). It is stored: never rename one.
type SettingState string

// The states.
const (
	SettingPending SettingState = "pending" // the device has not been reached yet
	SettingApplied SettingState = "applied"
	SettingFailed  SettingState = "failed" // the device has refused it, or has returned to what it had
)

// Setting is what an administrator wants one device to be set to.
type Setting struct {
	Version int64 // grows with each wish for any device: of two for the same key the larger one holds (S9)
	Device  string
	Key     string // of the settings table
	Value   string
	Secret  bool // Value is one
	Own     bool // it shall be as the device's own configuration says, and Value is ""
	By      string
	At      time.Time
	State   SettingState
	Reason  string // of a failure, one sentence
	Settled time.Time
}

// KeepSettings is how many wishes of a device that no longer hold are kept for its history.
const KeepSettings = 200

// Unsettled is a device that has not taken all that is wanted of it.
type Unsettled struct {
	Device string
	Newest int64 // version
}

// Management is what the sessions of device management with a device leave to the next one: the nonces of both directions, as base64 text, and the id of
// the session that the device was notified of last.
type Management struct {
	OwnNonce    string // for the server's next proof
	DeviceNonce string // for the device's
	Session     uint16
}

// Settings keeps what administrators want of devices.
type Settings interface {
	// WantSetting notes a wish, which is pending then, and gives it its version.
	WantSetting(s Setting) (version int64, err error)
	// SettleSetting notes what became of a version.
	SettleSetting(version int64, state SettingState, reason string, at time.Time) error
	// Settings are the wishes that hold for a device, one for each key, by key.
	Settings(device string) ([]Setting, error)
	// SettingsHistory are all wishes for a device that are kept, the newest first.
	SettingsHistory(device string) ([]Setting, error)
	// Management is the zero value of a device that was never managed.
	Management(device string) (Management, error)
	PutManagement(device string, m Management) error
	// Unsettled are the devices with wishes that hold and are pending, in order, each with the version of its newest.
	Unsettled() ([]Unsettled, error)
}
