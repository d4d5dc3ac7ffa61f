package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
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

func openCertificate(cert, key string) (*clientcert.Certificate, error) {
	if cert == "" {
		return nil, nil
	}
	return clientcert.Open(cert, key)
}

// fingerprint names credentials, and whom they are shown to, without telling them.
func fingerprint(cert *clientcert.Certificate, parts ...string) string {
	sum := sha256.Sum256([]byte(cert.ID(time.Now()) + "\x00" + strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// credential names what the server is or would be shown now.
func (a *Agent) credential() string {
	a.mu.Lock()
	cert, server, user, secret := a.cert, a.live.Server, a.live.User, a.secret
	a.mu.Unlock()
	return fingerprint(cert, server, user, secret)
}

func (a *Agent) serverCertificate() *clientcert.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cert
}

// tried is the secret for an exchange that begins. It notes what is tried with it. Without a secret nothing is tried.
func (a *Agent) tried() (string, error) {
	credential := a.credential()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.attempt = credential
	if missing := a.missingLocked(); missing != nil {
		return "", missing
	}
	return a.secret, nil
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
		if refused := a.refusal(server).Credential; refused != "" && refused != a.credential() && a.missing() == nil {
			a.engine.Send(ctx, session.Credentials{})
		}
		a.warn(warned, time.Now())
		select {
		case <-t.C:
		case <-a.nudged:
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
	of := map[string]*clientcert.Certificate{server: a.serverCertificate()}
	if r := a.currentRoad(); r != nil {
		of[broker] = r.cert
	}
	for _, c := range []struct {
		who  string
		cert *clientcert.Certificate
	}{{server, of[server]}, {broker, of[broker]}} {
		if c.cert != nil {
			out = append(out, control.Certificate{For: c.who, File: c.cert.File(), Expires: c.cert.Expires(), Problem: c.cert.Problem(time.Now())})
		}
	}
	return out
}

func (a *Agent) pushPassword() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.live.Push.Password != "" {
		return a.live.Push.Password
	}
	return a.secret
}

func (a *Agent) pushKey() (credential, session string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return syncml.Credential(a.live.User, a.secret), a.opened
}

func (a *Agent) secretExpires() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.expires
}

// login takes a new secret into use once it is durable (A4). The broker is tried again, too, also with the same one: the user has asked for it.
func (a *Agent) login(secret string) error {
	save := a.options().SaveSecret
	if save == nil {
		return errors.New("the secret of this agent cannot be changed")
	}
	if err := save(secret); err != nil {
		return err
	}
	a.mu.Lock()
	a.secret, a.live.Secret, a.live.Vault.Missing = secret, secret, nil
	a.mu.Unlock()
	a.forgive()
	return nil
}

// loginPush is login for the broker, if it has a secret of its own.
func (a *Agent) loginPush(secret string) error {
	save := a.options().Push.SavePassword
	if save == nil {
		return errors.New("the broker of this agent takes the secret of the account; type alwayson login")
	}
	if err := save(secret); err != nil {
		return fmt.Errorf("cannot save the secret for the broker: %w", err)
	}
	a.mu.Lock()
	a.live.Push.Password, a.live.Push.Vault.Missing = secret, nil
	a.mu.Unlock()
	a.forgive()
	return nil
}

func (a *Agent) forgive() {
	if l := a.listener(); l != nil {
		l.Forgive()
	}
}
