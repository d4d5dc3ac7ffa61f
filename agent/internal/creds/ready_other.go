//go:build !linux

package creds

import "context"

// Ready tells whether an account can be read or written in the keyring without a question to the user: where the system does not say, it may ask.
func Ready(context.Context, string) error { return nil }
