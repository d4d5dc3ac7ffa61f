package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/clientcert"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// Who may refuse credentials.
const (
	server = "server"
	broker = "broker"
)

// openCertificates opens those that are configured.
func (a *Agent) openCertificates() (err error) {
	if a.cert, err = openCertificate(a.o.CertFile, a.o.KeyFile); err != nil {
		return err
	}
	a.pushCert, err = openCertificate(a.o.Push.CertFile, a.o.Push.KeyFile)
	return err
}

func openCertificate(cert, key string) (*clientcert.Certificate, error) {
	if cert == "" {
		return nil, nil
	}
	return clientcert.Open(cert, key)
}

// fingerprint names credentials without telling them.
func fingerprint(secret string, cert *clientcert.Certificate) string {
	sum := sha256.Sum256([]byte(cert.ID(time.Now()) + "\x00" + secret))
	return hex.EncodeToString(sum[:8])
}

// credential names what the server is or would be shown now.
func (a *Agent) credential() string { return fingerprint(a.currentSecret(), a.cert) }

// pushCredential is credential for the broker.
func (a *Agent) pushCredential() string {
	return fingerprint(a.o.Push.User+"\x00"+a.pushPassword(), a.pushCert)
}

// tried is the secret for an exchange that begins. It notes what is tried with it.
func (a *Agent) tried() string {
	credential := a.credential()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.attempt = credential
	return a.secret
}

// noteRefusal remembers what the server refused, or that it refuses nothing.
func (a *Agent) noteRefusal(r session.Record) error {
	a.mu.Lock()
	former := a.refused[server]
	now := state.Refusal{}
	switch {
	case !r.Refused:
	case former.Credential != "":
		now = former
	default:
		now = state.Refusal{Credential: a.attempt, Reason: r.Reason}
	}
	a.mu.Unlock()
	return a.refuse(server, now)
}

// refuse remembers what was refused by whom; the zero Refusal is nothing.
func (a *Agent) refuse(who string, r state.Refusal) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refused[who] == r {
		return nil
	}
	if a.refused[who] = r; r == (state.Refusal{}) {
		delete(a.refused, who)
	}
	return state.SaveRefusals(a.db, a.refused)
}

func (a *Agent) refusal(who string) state.Refusal {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.refused[who]
}

// refusedByBroker is called by the trigger.
func (a *Agent) refusedByBroker(r state.Refusal) {
	if err := a.refuse(broker, r); err != nil {
		a.o.Log.Error("after a restart the broker will be shown refused credentials once more", "reason", err)
	}
}

// certLook is how often the files of certificates are looked at. A handshake looks anyway; this is for one that was refused, and the user's warning.
const certLook = time.Minute

// watchCredentials tries again when what was refused has been replaced, by a renewed certificate or while the agent was not running, and warns
// before a certificate expires.
func (a *Agent) watchCredentials(ctx context.Context) {
	pause := certLook
	if a.o.CertLook > 0 {
		pause = a.o.CertLook
	}
	t := time.NewTicker(pause)
	defer t.Stop()
	warned := map[string]time.Duration{}
	for {
		if refused := a.refusal(server).Credential; refused != "" && refused != a.credential() {
			a.engine.Send(ctx, session.Credentials{})
		}
		a.warn(warned, time.Now())
		if a.cert == nil && a.pushCert == nil {
			return // the secret changes by a login only, while the agent runs
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// ahead is how long before its end the user is told of a certificate that expires (A9).
var ahead = []time.Duration{24 * time.Hour, 7 * 24 * time.Hour}

// warn writes each warning once; warned is what was written, by file.
func (a *Agent) warn(warned map[string]time.Duration, now time.Time) {
	for _, c := range a.certificates() {
		for _, d := range ahead {
			if left := c.Expires.Sub(now); left < 0 || left > d {
				continue
			}
			if former, ok := warned[c.File]; !ok || d < former {
				warned[c.File] = d
				a.o.Log.Warn("client certificate expires soon", "for", c.For, "at", c.Expires, "file", c.File)
			}
			break
		}
	}
}

// certificates are those of the device.
func (a *Agent) certificates() (out []control.Certificate) {
	for _, c := range []struct {
		who  string
		cert *clientcert.Certificate
	}{{server, a.cert}, {broker, a.pushCert}} {
		if c.cert != nil {
			out = append(out, control.Certificate{For: c.who, File: c.cert.File(), Expires: c.cert.Expires(), Problem: c.cert.Problem(time.Now())})
		}
	}
	return out
}

func (a *Agent) pushPassword() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.o.Push.Password != "" {
		return a.o.Push.Password
	}
	return a.secret
}

func (a *Agent) pushKey() (credential, session string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return syncml.Credential(a.o.User, a.secret), a.opened
}

func (a *Agent) secretExpires() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.expires
}

func (a *Agent) currentSecret() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.secret
}

// login takes a new secret into use once it is durable (A4). The broker is tried again, too, also with the same one: the user has asked for it.
func (a *Agent) login(secret string) error {
	if a.o.SaveSecret == nil {
		return errors.New("the secret of this agent cannot be changed")
	}
	if err := a.o.SaveSecret(secret); err != nil {
		return err
	}
	a.mu.Lock()
	a.secret = secret
	a.mu.Unlock()
	a.forgive()
	return nil
}

// loginPush is login for the broker, if it has a secret of its own.
func (a *Agent) loginPush(secret string) error {
	if a.o.Push.SavePassword == nil {
		return errors.New("the broker of this agent takes the secret of the account; type alwayson login")
	}
	if err := a.o.Push.SavePassword(secret); err != nil {
		return fmt.Errorf("cannot save the secret for the broker: %w", err)
	}
	a.mu.Lock()
	a.o.Push.Password = secret
	a.mu.Unlock()
	a.forgive()
	return nil
}

// pushLogin is what to type when the broker has refused the password.
func (a *Agent) pushLogin() string {
	if a.o.Push.SavePassword == nil {
		return "alwayson login"
	}
	return "alwayson login --push"
}

func (a *Agent) forgive() {
	if a.trigger != nil {
		a.trigger.Forgive()
	}
}
