package dmclient

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/dm/internal/auth"
	"github.com/alwayson-sync/alwayson/ds/san"
)

// Notification is a server's wish for a session (package 0, protocol.md F).
type Notification struct {
	// SessionID is that of the session that shall follow, "" if the device may choose. A notification that came again names the same one: who
	// remembers the one of the last session begins one session only.
	SessionID string
	UI        san.UIMode
}

// ReadNotification reads a notification and verifies that it comes from the account's server, with either of the nonces that the server may have. One
// that does not is dropped silently.
//
// A replayed notification is recognized once the server has proved itself twice with newer nonces; until then it is by its SessionID.
func ReadNotification(b []byte, a Account) (*Notification, error) {
	n, err := san.Parse(b)
	switch {
	case err != nil:
		return nil, err
	case n.Version != san.DM:
		return nil, errors.New("the notification is not about device management")
	case n.ServerID != a.ServerID:
		return nil, fmt.Errorf("the notification is of server %q, not of %q", n.ServerID, a.ServerID)
	case a.ServerSecret == "" || !verify(b, &a):
		return nil, fmt.Errorf("the notification was not made by server %q", a.ServerID)
	}
	out := &Notification{UI: n.UI}
	if n.SessionID != 0 {
		out.SessionID = strings.ToUpper(strconv.FormatUint(uint64(n.SessionID), 16))
	}
	return out, nil
}

func verify(b []byte, a *Account) bool {
	for _, nonce := range []string{a.Server, a.FormerServer} {
		if san.Verify(b, a.ServerID, san.Key{Password: a.ServerSecret, Nonce: auth.RawNonce(nonce)}) {
			return true
		}
	}
	return false
}
