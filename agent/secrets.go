package agent

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/creds"
)

// Vault is where a secret comes from that is not always to be had. The zero value has none to give.
type Vault struct {
	ID      string       // tells vaults apart
	Keyring bool         // whose entries are named after the server
	Missing *creds.Error // why the secret is not there, nil if it is
	// Find looks for the secret again.
	Find func(context.Context) (string, error)
}

// secretLook is how often a secret is looked for that is not there: a keyring does not tell when it is unlocked.
const secretLook = 15 * time.Second

// watchSecrets looks for secrets that are not there, and for others than those that were refused, until ctx ends.
func (a *Agent) watchSecrets(ctx context.Context) {
	t := time.NewTicker(cmp.Or(a.o.SecretLook, secretLook))
	defer t.Stop()
	var last time.Time // that refused ones were looked for
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		refused := false
		if time.Since(last) >= certLook && a.isRefused() {
			refused, last = true, time.Now()
		}
		a.lookForSecrets(ctx, refused)
	}
}

// isRefused tells whether the server has refused the secret there is.
func (a *Agent) isRefused() bool {
	r := a.refusal(server).Credential
	return r != "" && r == a.credential()
}

// lookAgain looks now, because the user says that it is worth it.
func (a *Agent) lookAgain(ctx context.Context) error {
	a.lookForSecrets(ctx, true)
	if missing := a.missing(); missing != nil {
		return missing
	}
	return nil
}

// lookForSecrets looks for those that are missing, and with anyway for that of the account also if there is one.
func (a *Agent) lookForSecrets(ctx context.Context, anyway bool) {
	o := a.options()
	if v := o.Vault; v.Find != nil && (v.Missing != nil || anyway) {
		secret, err := v.Find(ctx)
		a.took(ctx, "account", a.takeSecret(v.ID, secret, err))
	}
	if v := o.Push.Vault; v.Find != nil && v.Missing != nil {
		secret, err := v.Find(ctx)
		a.took(ctx, "broker", a.takePassword(v.ID, secret, err))
	}
}

// took goes on with what was found. What is missing may be so for another reason than before: who watches sees that.
func (a *Agent) took(ctx context.Context, what string, found bool) {
	a.engine.Announce()
	if !found || ctx.Err() != nil {
		return
	}
	a.o.Log.Info("the secret is there, the work goes on", "for", what)
	select {
	case a.nudged <- struct{}{}:
	default:
	}
	if l := a.listener(); l != nil {
		l.Kick()
	}
}

// takeSecret takes what a vault has given, unless it is another one's turn by now: found tells whether that is something new.
func (a *Agent) takeSecret(vault, secret string, err error) (found bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.live.Vault.ID != vault || !a.live.Vault.gave(err) || a.live.Secret == secret {
		return false
	}
	a.live.Secret = secret
	if !a.switching { // else that takes it
		a.secret = secret
	}
	return true
}

// takePassword is takeSecret for the broker.
func (a *Agent) takePassword(vault, secret string, err error) (found bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.live.Push.Vault.ID != vault || !a.live.Push.Vault.gave(err) || a.live.Push.Password == secret {
		return false
	}
	a.live.Push.Password = secret
	return true
}

// gave notes the outcome of a look. What is known already is not forgotten because a vault is shut now.
func (v *Vault) gave(err error) bool {
	var missing *creds.Error
	if errors.As(err, &missing) && v.Missing != nil {
		v.Missing = missing
	}
	if err == nil {
		v.Missing = nil
	}
	return err == nil
}

// missing is why there is no secret of the account, nil if there is one.
func (a *Agent) missing() *creds.Error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.missingLocked()
}

func (a *Agent) missingLocked() *creds.Error {
	if a.secret != "" {
		return nil
	}
	return a.live.Vault.Missing
}

// missingForBroker is why the broker cannot be shown anything. It needs the secret of the account in any case: notifications are verified with it.
func (a *Agent) missingForBroker() *creds.Error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if missing := a.live.Push.Vault.Missing; missing != nil {
		return missing
	}
	return a.missingLocked()
}

// holdsPush is why the broker is not tried, nil if it is.
func (a *Agent) holdsPush() (advice string, why error) {
	if missing := a.missingForBroker(); missing != nil {
		return missing.Advice, missing
	}
	return "", nil
}

// remember takes over secrets that are not to be had at this moment and were before: a keyring that was locked meanwhile changes nothing. The entry of
// another server is made of the former one's, so that a server can move; then moved.
func (o *Options) remember(former *Options) (moved bool) {
	if v, was := &o.Vault, &former.Vault; v.Missing != nil && was.Missing == nil && former.Secret != "" {
		moved = v.Keyring && was.Keyring && v.ID != was.ID && v.Missing.Problem == creds.Missing && o.DeviceID == former.DeviceID
		if moved || v.ID == was.ID {
			o.Secret, v.Missing = former.Secret, nil
		}
	}
	if v, was := &o.Push.Vault, &former.Push.Vault; v.Missing != nil && was.Missing == nil && v.ID == was.ID {
		o.Push.Password, v.Missing = former.Push.Password, nil
	}
	return moved
}
