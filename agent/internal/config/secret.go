package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"unicode"

	"github.com/alwayson-sync/alwayson/pim/safefile"
)

// Secret is where a secret is kept: one of three.
type Secret struct {
	File    string
	Keyring bool
	Command string
}

// Secret is where that of the account is.
func (a *Account) Secret() Secret { return Secret{a.SecretFile, a.Keyring, a.SecretCommand} }

// Secret is where that for the broker is.
func (p *Push) Secret() Secret { return Secret{p.SecretFile, p.Keyring, p.SecretCommand} }

// OwnPushSecret tells whether the broker gets another secret than the server.
func (c *Config) OwnPushSecret() bool {
	return c.Push.Secret() != c.Account.Secret() || c.Push.own && c.Push.Keyring
}

// keys are those that are set.
func (s *Secret) keys(table string) (keys []string) {
	if s.File != "" {
		keys = append(keys, table+".secret_file")
	}
	if s.Keyring {
		keys = append(keys, table+".keyring")
	}
	if s.Command != "" {
		keys = append(keys, table+".secret_command")
	}
	return keys
}

func (c *Config) checkSecrets() (bad []string) {
	for _, t := range []struct {
		table  string
		secret Secret
	}{{"account", c.Account.Secret()}, {"push", c.Push.Secret()}} {
		keys := t.secret.keys(t.table)
		if _, err := Words(t.secret.Command); t.secret.Command != "" && err != nil && (t.table == "account" || c.Push.own) {
			bad = append(bad, t.table+".secret_command: "+err.Error())
		}
		switch {
		case len(keys) == 0 && t.table == "account":
			bad = append(bad, "account.secret_file is missing (or keyring = true, or secret_command): it says where the secret is")
		case len(keys) > 1 && (t.table == "account" || c.Push.own):
			bad = append(bad, strings.Join(keys, " and ")+" both say where the secret is: keep one of them")
		}
	}
	return bad
}

// Words splits a command at blanks. '…' and "…" keep what is in them together; nothing else has a meaning: no shell sees it.
func Words(command string) (words []string, err error) {
	var word strings.Builder
	inWord, quote := false, rune(0)
	for _, r := range command {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inWord = r, true
		case quote == 0 && unicode.IsSpace(r):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a %c is missing at the end", quote)
	}
	if inWord {
		words = append(words, word.String())
	}
	if len(words) == 0 || words[0] == "" {
		return nil, errors.New("there is no command in it")
	}
	return words, nil
}

// ReadSecret reads a secret file: one line that nobody else may read.
func ReadSecret(path string) (string, error) {
	fi, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &Error{Path: path, Mistakes: []string{"there is no secret yet: type alwayson login"}}
	}
	if err != nil {
		return "", &Error{Path: path, Mistakes: []string{err.Error()}}
	}
	if runtime.GOOS != "windows" && fi.Mode().Perm()&0o077 != 0 {
		return "", &Error{Path: path, Mistakes: []string{fmt.Sprintf("others may read it (mode %04o): type chmod 600 %s", fi.Mode().Perm(), path)}}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", &Error{Path: path, Mistakes: []string{err.Error()}}
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// WriteSecret replaces a secret file, durably.
func WriteSecret(path, secret string) error {
	return safefile.WriteFile(path, []byte(secret+"\n"), 0o600)
}
