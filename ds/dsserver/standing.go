package dsserver

import (
	"context"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// Authenticator is the Authentication Server of the change request: it knows whether credentials that are right are still valid (A3, A5). The
// built-in one is MaxAge; a directory can be another.
type Authenticator interface {
	// Standing tells what the credentials of a device are worth at now. An error leaves the device's message unanswered: it comes again.
	Standing(ctx context.Context, d dsstore.Device, now time.Time) (Standing, error)
}

// Standing is what right credentials are worth.
type Standing struct {
	Aged    bool      // no longer valid: the session is kept until the user has typed new ones
	Since   time.Time // of Aged
	Expires time.Time // when they will age, zero if that is not known; the user is told ahead (A9)
}

// MaxAge is an Authenticator for which credentials age so long after they were issued; 0 is never.
type MaxAge time.Duration

// Standing implements Authenticator.
func (m MaxAge) Standing(_ context.Context, d dsstore.Device, now time.Time) (Standing, error) {
	if m == 0 || d.ChangedAt.IsZero() {
		return Standing{}, nil
	}
	at := d.ChangedAt.Add(time.Duration(m))
	if now.Before(at) {
		return Standing{Expires: at}, nil
	}
	return Standing{Aged: true, Since: at}, nil
}
