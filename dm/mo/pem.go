package mo

import (
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// IsPEM tells whether the value of a setting is certificates or a key themselves, and not the name of the file that they are in.
func IsPEM(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN ") }

func checkPEM(text string) error {
	if !IsPEM(text) {
		if strings.ContainsAny(text, "\r\n") {
			return errors.New("it is neither the name of a file nor PEM, which begins with -----BEGIN")
		}
		return nil
	}
	if blocks, rest := blocks(text); blocks == 0 || rest {
		return errors.New("it is PEM that is damaged")
	}
	return nil
}

// blocks counts what there is in a PEM text, and tells whether there is something else behind it.
func blocks(text string) (n int, more bool) {
	rest := []byte(text)
	for {
		block, behind := pem.Decode(rest)
		if block == nil {
			return n, len(strings.TrimSpace(string(rest))) > 0
		}
		n, rest = n+1, behind
	}
}

// Shown is a value as people may see it: a secret is not told. The name of a file in which there is one is no secret.
func (s *Setting) Shown(text string) string {
	if s.Secret && IsPEM(text) {
		return "(secret)"
	}
	return text
}

// Brief is a value that people may see in one line.
func Brief(text string) string {
	if !IsPEM(text) {
		return text
	}
	n, _ := blocks(text)
	return fmt.Sprintf("PEM, %d in %d octets", n, len(text))
}

// Given is the value that a person types for a key: @FILE is what a file holds. A secret itself is not typed: everybody on the machine could see it.
func Given(key, text string, read func(path string) ([]byte, error)) (string, error) {
	path, file := strings.CutPrefix(text, "@")
	if s, ok := Find(key); !file && ok && s.Shown(text) != text {
		return "", fmt.Errorf("%s is a secret, which others on this machine can see in a command: write it into a file and type %s=@FILE", key, key)
	}
	if !file {
		return text, nil
	}
	held, err := read(path)
	if err != nil {
		return "", fmt.Errorf("cannot read the value of %s: %w", key, err)
	}
	return string(held), nil
}
