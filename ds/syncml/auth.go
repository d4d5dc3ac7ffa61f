package syncml

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// Authentication schemes (protocol.md D.1).
const (
	AuthBasic = "syncml:auth-basic"
	AuthMD5   = "syncml:auth-md5"
)

// Credential is B64(H(user:secret)), the form in which a server keeps what syncml:auth-md5 needs (protocol.md D.2).
func Credential(user, secret string) string {
	sum := md5.Sum([]byte(user + ":" + secret))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Digest is the md5 answer to a nonce, given as base64 text as it stands in NextNonce.
func Digest(credential, nonce string) string {
	raw, err := base64.StdEncoding.DecodeString(nonce)
	if err != nil {
		raw = []byte(nonce) // some servers send nonces that are no base64 (protocol.md D.2)
	}
	sum := md5.Sum(append([]byte(credential+":"), raw...))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// MD5Cred is a Cred for syncml:auth-md5. The user's name goes into the LocName of the header's Source.
func MD5Cred(user, secret, nonce string) *Cred {
	return &Cred{Meta: Meta{Format: "b64", Type: AuthMD5}, Data: Digest(Credential(user, secret), nonce)}
}

// BasicCred is a Cred for syncml:auth-basic.
func BasicCred(user, secret string) *Cred {
	return &Cred{Meta: Meta{Format: "b64", Type: AuthBasic}, Data: base64.StdEncoding.EncodeToString([]byte(user + ":" + secret))}
}

// ParseBasic takes a basic credential apart; ok is false if it is malformed.
func (c *Cred) ParseBasic() (user, secret string, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(c.Data))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(raw), ":")
}

// MatchesMD5 tells whether c answers nonce for credential, in constant time.
func (c *Cred) MatchesMD5(credential, nonce string) bool {
	return subtle.ConstantTimeCompare([]byte(strings.TrimSpace(c.Data)), []byte(Digest(credential, nonce))) == 1
}
