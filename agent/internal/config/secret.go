package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/alwayson-sync/alwayson/pim/safefile"
)

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
