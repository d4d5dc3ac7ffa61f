package creds

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"os"
	"strings"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
)

// marker begins a file that is sealed. What follows it in the line is the salt, and the secret as AES-256-GCM makes it, both in base64.
const marker = "alwayson-sealed-1"

// saltSize is that of the salt of a file.
const saltSize = 16

var (
	errElsewhere = errors.New("was sealed on another machine: type alwayson login")
	errNameless  = errors.New("is sealed, and this machine has no name to open it with")
	errDamaged   = errors.New("is damaged: type alwayson login")
)

func (p *Place) fromFile() (string, error) {
	text, err := config.ReadSecret(p.File)
	if err != nil || !isSealed(text) {
		return text, err
	}
	if p.machine() == "" {
		return "", &config.Error{Path: p.File, Mistakes: []string{"it " + errNameless.Error() + ": " + p.Remedy()}}
	}
	secret, err := open(text, p.machine())
	if err != nil {
		return "", &config.Error{Path: p.File, Mistakes: []string{"it " + strings.Replace(err.Error(), "alwayson login", p.login(), 1)}}
	}
	return secret, nil
}

func (p *Place) toFile(secret string) error {
	id := p.machine()
	if id == "" {
		return config.WriteSecret(p.File, secret)
	}
	text, err := seal(secret, id)
	if err != nil {
		return err
	}
	return config.WriteSecret(p.File, text)
}

// Sealed tells whether the file of a place is sealed.
func (p *Place) Sealed() bool {
	text, err := config.ReadSecret(p.File)
	return err == nil && isSealed(text)
}

// Remedy is what helps when the secret of a place cannot be read: what names the machine can be had back only by who has a copy.
func (p *Place) Remedy() string {
	if p.Sealed() && p.machine() == "" {
		return "put " + nameOfMachine + " back; if it is lost: sudo systemd-machine-id-setup, and then " + p.login()
	}
	return p.login()
}

// nameOfMachine is of Linux only.
const nameOfMachine = "/etc/machine-id"

func isSealed(text string) bool { return strings.HasPrefix(text, marker+" ") }

// machine is what names this machine, "" if nothing does. It is no secret to who is on it.
func (p *Place) machine() string {
	if p.MachineID != "" {
		return p.MachineID
	}
	text, _ := os.ReadFile(nameOfMachine)
	return strings.TrimSpace(string(text))
}

func seal(secret, id string) (string, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt) //nolint:errcheck // it never fails
	c, err := cipherOf(id, salt)
	if err != nil {
		return "", err
	}
	box := c.Seal(nil, nil, []byte(secret), []byte(marker))
	return marker + " " + base64.StdEncoding.EncodeToString(salt) + " " + base64.StdEncoding.EncodeToString(box), nil
}

func open(text, id string) (string, error) {
	parts := strings.Fields(text)
	if len(parts) != 3 {
		return "", errDamaged
	}
	salt, err := base64.StdEncoding.DecodeString(parts[1])
	box, err2 := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || err2 != nil {
		return "", errDamaged
	}
	c, err := cipherOf(id, salt)
	if err != nil {
		return "", err
	}
	secret, err := c.Open(nil, nil, box, []byte(marker))
	if err != nil {
		return "", errElsewhere // or somebody has changed it, which nobody can tell apart
	}
	return string(secret), nil
}

// cipherOf is the cipher of one file on one machine. It chooses nonces itself.
func cipherOf(id string, salt []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(id), salt, marker, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
