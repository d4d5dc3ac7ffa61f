package sqlstore

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// OpenSealed is Open for a database in which the credentials of devices are sealed with key (AES-256-GCM): who steals the file alone
// cannot sign in. Credentials that were written without a key stay readable and are sealed when they are written next.
func OpenSealed(ctx context.Context, path string, key [32]byte) (*Store, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	s, err := Open(ctx, path)
	if err != nil {
		return nil, err
	}
	s.aead = aead
	return s, nil
}

const sealedPrefix = "sealed:"

// seal binds a credential to its device, so that it cannot be moved to another one.
func (t *tx) seal(device, credential string) string {
	if t.aead == nil || credential == "" {
		return credential
	}
	nonce := make([]byte, t.aead.NonceSize())
	rand.Read(nonce) //nolint:errcheck // it never fails
	return sealedPrefix + base64.StdEncoding.EncodeToString(t.aead.Seal(nonce, nonce, []byte(credential), []byte(device)))
}

func (t *tx) unseal(device string, credential *string) error {
	text, sealed := strings.CutPrefix(*credential, sealedPrefix)
	if !sealed {
		return nil
	}
	if t.aead == nil {
		return errors.New("the credentials in the database are sealed, and there is no key")
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) < t.aead.NonceSize() {
		return fmt.Errorf("the credential of device %s is damaged", device)
	}
	plain, err := t.aead.Open(nil, b[:t.aead.NonceSize()], b[t.aead.NonceSize():], []byte(device))
	if err != nil {
		return fmt.Errorf("the credential of device %s was sealed with another key", device)
	}
	*credential = string(plain)
	return nil
}

// sealed and unsealed are for values some of which are secret.
func (t *tx) sealed(secret bool, of, value string) string {
	if !secret {
		return value
	}
	return t.seal(of, value)
}

func (t *tx) unsealed(secret bool, of string, value *string) error {
	if !secret {
		return nil
	}
	return t.unseal(of, value)
}
