package doctor

import (
	"context"
	"errors"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
)

// keyring looks at where secrets are kept, and whether they are to be had now.
func keyring(ctx context.Context, p *Patient, found func(Finding)) {
	if p.Config == nil {
		return
	}
	if at := creds.OfAccount(p.Config); !unreadable(at) {
		found(kept(ctx, "keyring.secret", "the secret of the account", at))
	}
	if at, own := creds.OfPush(p.Config); own && !unreadable(at) {
		found(kept(ctx, "keyring.push_secret", "the secret for the broker", at))
	}
}

// unreadable tells whether there is a file that cannot be read, of which configuration has told.
func unreadable(at creds.Place) bool {
	if at.File == "" {
		return false
	}
	_, err := config.ReadSecret(at.File)
	return err != nil
}

func kept(ctx context.Context, id, what string, at creds.Place) Finding {
	start := time.Now()
	_, err := at.Read(ctx)
	var missing *creds.Error
	switch {
	case errors.As(err, &missing):
		return fault(id, what+": "+missing.What+"; nothing is synchronized without it, and nothing is lost", missing.Advice).since(start)
	case err != nil:
		return fault(id, what+": "+err.Error(), at.Remedy())
	case at.Keyring:
		return ok(id, what+" is in the keyring, which is unlocked").since(start)
	case at.Command != "":
		return ok(id, what+" comes from a command, which works").since(start)
	case at.Sealed():
		return ok(id, what+" is sealed in its file: a copy of the file is of no use on another machine")
	}
	return ok(id, what+" is in a file as plain text: alwayson login writes it anew, and on Linux seals it")
}
