package creds

import (
	"context"
	"errors"
	"os/exec"

	"github.com/zalando/go-keyring"
)

// Service is what the entries in the keyring are called.
const Service = "alwayson"

func (p *Place) fromKeyring(ctx context.Context) (secret string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := p.ready(ctx); err != nil {
		return "", err
	}
	err = within(ctx, func() (err error) { secret, err = keyring.Get(Service, p.Account); return err })
	if err == nil && secret == "" {
		err = keyring.ErrNotFound
	}
	if err != nil {
		return "", p.explain(err)
	}
	return secret, nil
}

func (p *Place) toKeyring(ctx context.Context, secret string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := p.ready(ctx); err != nil {
		return err
	}
	if err := within(ctx, func() error { return keyring.Set(Service, p.Account, secret) }); err != nil {
		return p.explain(err)
	}
	return nil
}

// ready looks before the library does: that starts a bus of its own where there is none, and asks the user to unlock what is locked, each time.
func (p *Place) ready(ctx context.Context) error {
	if p.Ready != nil {
		return p.Ready(ctx, p.Account)
	}
	return Ready(ctx, p.Account)
}

// within bounds what has no context. What hangs is left behind: it waits for a person.
func within(ctx context.Context, fn func() error) error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errors.New("it does not answer")
	}
}

// interactionNotAllowed is the exit code of security(1) for a Keychain that is locked while nobody can be asked.
const interactionNotAllowed = 36

func (p *Place) explain(err error) error {
	var exit *exec.ExitError
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return &Error{Problem: Missing, What: "the keyring is unlocked, and has no entry " + Service + " for " + p.Account, Advice: "type " + p.login()}
	case errors.Is(err, keyring.ErrUnsupportedPlatform):
		return &Error{Problem: Unreachable, What: "this system has no keyring", Advice: p.useFile()}
	case errors.As(err, &exit) && exit.ExitCode() == interactionNotAllowed:
		return errLocked()
	}
	return &Error{Problem: Failed, What: "the keyring fails: " + err.Error(), Advice: "type alwayson doctor"}
}

func errLocked() error {
	return &Error{Problem: Locked, What: "the keyring is locked", Advice: "unlock it (log in to the desktop)"}
}

func (p *Place) useFile() string {
	return "name a file in the configuration (" + p.Key + ".secret_file in place of keyring) and type " + p.login()
}
