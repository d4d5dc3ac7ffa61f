// Package creds keeps and finds the secrets of this device: in the keyring, behind a command, or in a file.
package creds

import (
	"context"
	"net/url"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
)

// Place is where one secret is kept. One of Keyring, Command and File is set.
type Place struct {
	Keyring bool
	Account string // in the keyring
	Command string
	File    string
	Key     string // table of the configuration that says so: account, push
	// Ready tells whether an account of the keyring can be read or written without a question to the user; nil asks the system.
	Ready func(ctx context.Context, account string) error
	// Patience is how long the command may take; 0 is half a minute.
	Patience time.Duration
	// MachineID seals files; "" is that of the system.
	MachineID string
}

// OfAccount is where the secret of the account is.
func OfAccount(c *config.Config) Place {
	p := of("account", c.Account.Secret())
	p.Account = c.Device + "@" + host(c.Account.Server)
	return p
}

// OfPush is where the secret for the broker is, not ok if that is the secret of the account.
func OfPush(c *config.Config) (p Place, ok bool) {
	p = of("push", c.Push.Secret())
	p.Account = c.Push.User + "@" + host(c.Push.Broker) + " (broker)"
	return p, c.Push.Broker != "" && c.OwnPushSecret()
}

func of(key string, s config.Secret) Place {
	return Place{Key: key, Keyring: s.Keyring, Command: s.Command, File: s.File}
}

// host is that of an address which the configuration has checked.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Hostname()
}

// ID tells places apart.
func (p *Place) ID() string {
	switch {
	case p.Keyring:
		return "keyring " + p.Account
	case p.Command != "":
		return "command " + p.Command
	}
	return "file " + p.File
}

// patience bounds what a keyring may take. A command may ask somebody for a passphrase, and gets longer.
const (
	patience        = 10 * time.Second
	commandPatience = 30 * time.Second
)

// Read finds the secret. The error is an *Error if it may be there later without anything being changed in the configuration, and a *config.Error if
// the file needs the user.
func (p *Place) Read(ctx context.Context) (string, error) {
	switch {
	case p.Keyring:
		return p.fromKeyring(ctx)
	case p.Command != "":
		return p.fromCommand(ctx)
	}
	return p.fromFile()
}

// Write keeps the secret, durably.
func (p *Place) Write(ctx context.Context, secret string) error {
	switch {
	case p.Keyring:
		return p.toKeyring(ctx, secret)
	case p.Command != "":
		return &Error{Problem: ReadOnly, What: "the secret comes from a command (" + p.Key + ".secret_command)", Advice: "change it there"}
	}
	return p.toFile(secret)
}

// Problem is why a secret is not to be had.
type Problem int

// The problems.
const (
	Unreachable Problem = iota + 1 // there is no keyring here and now
	Locked                         // it needs the user
	Missing                        // it is open and does not have it
	Failed                         // the command, or the keyring, does not do what it should
	ReadOnly                       // the secret cannot be written there
)

// Error is a secret that is not to be had now. It tells nothing of the secret.
type Error struct {
	Problem Problem
	What    string // happened
	Advice  string // what to type or to do
}

func (e *Error) Error() string { return e.What + "; " + e.Advice + ", nothing is lost" }

// login is what to type to give the secret anew.
func (p *Place) login() string {
	if p.Key == "push" {
		return "alwayson login --push"
	}
	return "alwayson login"
}
