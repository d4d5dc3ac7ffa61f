package dsserver

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// verdict is what credentials are worth (A2, A3).
type verdict int

const (
	valid   verdict = iota
	invalid         // nobody has or had these
	aged            // they were right once: the session is kept until the user has typed the new ones
	missing
)

// authenticate checks the credentials of the first message of an exchange and prepares the header's Status.
func (r *reply) authenticate() error {
	x := r.x
	if x.authenticated {
		return r.forgetFormer()
	}
	v, err := r.judge()
	if err == nil && v == valid {
		v, err = r.stand()
	}
	if err != nil {
		return err
	}
	if v == valid {
		return r.welcome()
	}
	r.s.o.Log.Info("credentials refused", "device", x.deviceID, "verdict", int(v))
	r.refused = true
	r.header.Code = ds.StatusInvalidCred
	if v == missing || v == aged {
		r.header.Code = ds.StatusCredMissing
	}
	if err := r.challenge(v); err != nil {
		return err
	}
	return r.endOnRefusal(v)
}

// forgetFormer makes the former nonce useless once the device goes on: it has got the new one, and an old message that comes late must not open an
// exchange (found by simulation).
func (r *reply) forgetFormer() error {
	if r.x.continued {
		return nil
	}
	r.x.continued = true
	d, err := r.tx.Device(r.x.deviceID)
	if err != nil {
		return err
	}
	d.FormerNonce = newID()
	r.x.device.FormerNonce = d.FormerNonce
	return r.tx.PutDevice(d)
}

// stand asks whether right credentials are still valid.
func (r *reply) stand() (verdict, error) {
	st, err := r.s.o.Authenticator.Standing(r.ctx, r.x.device, r.now)
	if err != nil {
		return invalid, fmt.Errorf("cannot ask the authentication server: %w", err)
	}
	if st.Aged {
		return aged, nil
	}
	r.expires = st.Expires
	return valid, nil
}

func (r *reply) judge() (verdict, error) {
	x, cred := r.x, r.m.Header.Cred
	d, err := r.tx.Device(x.deviceID)
	if errors.Is(err, dsstore.ErrNotFound) {
		return invalid, nil // not "missing": a challenge could not be answered by a device nobody enrolled
	}
	if err != nil {
		return invalid, err
	}
	x.device = d
	if cred == nil {
		return missing, nil
	}
	if cred.Meta.Type == syncml.AuthMD5 {
		return judgeMD5(cred, d, r.m.Header.Source.Name), nil
	}
	return judgeBasic(cred, d), nil
}

func judgeMD5(cred *syncml.Cred, d dsstore.Device, user string) verdict {
	if user != "" && user != d.User {
		return invalid
	}
	for _, nonce := range []string{d.Nonce, d.FormerNonce, offered(d.Nonce), offered(d.FormerNonce)} {
		switch {
		case cred.MatchesMD5(d.Credential, nonce):
			return valid
		case d.Former != "" && cred.MatchesMD5(d.Former, nonce):
			return aged
		}
	}
	return invalid
}

func judgeBasic(cred *syncml.Cred, d dsstore.Device) verdict {
	user, secret, ok := cred.ParseBasic()
	if !ok || user != d.User {
		return invalid
	}
	switch got := syncml.Credential(user, secret); {
	case equal(got, d.Credential):
		return valid
	case d.Former != "" && equal(got, d.Former):
		return aged
	}
	return invalid
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// welcome accepts the device and gives it the nonce for its next exchange.
func (r *reply) welcome() error {
	r.x.authenticated = true
	r.header.Code = ds.StatusAuthenticated
	r.x.device.Seen = r.now
	if r.oldDigest() {
		return r.tx.PutDevice(r.x.device)
	}
	return r.nextNonce()
}

// oldDigest tells whether the device speaks SyncML 1.0, whose md5 is made from the password itself (protocol.md D): the server does not
// know that, so such a device has to send it.
func (r *reply) oldDigest() bool { return r.m.Header.VerProto == "SyncML/1.0" }

// nextNonce issues a nonce. The former one stays good once more: the answer with the new one may be lost.
func (r *reply) nextNonce() error {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	d := &r.x.device
	d.FormerNonce, d.Nonce = d.Nonce, base64.StdEncoding.EncodeToString(b[:])
	r.header.Chal = &syncml.Meta{Format: "b64", Type: syncml.AuthMD5, NextNonce: d.Nonce}
	return r.tx.PutDevice(*d)
}

// challenge asks for credentials. An unknown device gets a nonce that nobody remembers, so that it cannot tell which devices exist.
func (r *reply) challenge(v verdict) error {
	if r.oldDigest() {
		r.header.Chal = &syncml.Meta{Format: "b64", Type: syncml.AuthBasic}
		return nil
	}
	if r.x.device.ID == "" {
		r.header.Chal = &syncml.Meta{Format: "b64", Type: syncml.AuthMD5, NextNonce: base64.StdEncoding.EncodeToString([]byte(newID()))}
		return nil
	}
	if v == aged {
		return nil // the nonce was right: a new attempt is for new credentials only (A8)
	}
	if n := r.x.device.Nonce; n != "" {
		r.header.Chal = &syncml.Meta{Format: "b64", Type: syncml.AuthMD5, NextNonce: offered(n)}
		return nil
	}
	return r.nextNonce()
}

// offered is the nonce of a challenge. It is made from the device's own, which stays: anybody can have a device challenged, and who could make it
// stale as often as he likes would shut it out. Once the device has proved itself both are gone.
func offered(nonce string) string {
	sum := sha256.Sum256([]byte("challenge " + nonce))
	return base64.StdEncoding.EncodeToString(sum[:16])
}

// endOnRefusal ends the logical session for invalid credentials (A2) and keeps it for aged ones (A3). A first md5 answer may be
// wrong only because its nonce is stale, so it ends nothing: the device answers the challenge, and then it counts.
func (r *reply) endOnRefusal(v verdict) error {
	x := r.x
	said := wire.FindLogical(r.m.Header.Meta.EMI)
	stale := v == invalid && !x.challenged && r.m.Header.Cred != nil && r.m.Header.Cred.Meta.Type == syncml.AuthMD5
	x.challenged = true
	if err := r.noteRefusal(v, stale); err != nil {
		return err
	}
	l, ok, err := r.session(said.ID)
	if err != nil || !ok {
		return err
	}
	if v == invalid && !stale {
		return r.tx.PutSession(end(l, ds.Terminated, "invalid credentials", r.now))
	}
	r.logical = wire.Logical{Verb: wire.Held, ID: l.ID}
	return nil
}
