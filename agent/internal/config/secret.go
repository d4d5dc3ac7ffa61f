package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/alwayson-sync/alwayson/pim/safefile"
)

// ReadSecret reads a secret file: one line that nobody else may read.
func ReadSecret(path string) (string, error) {
	fi, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &Error{path, []string{"there is no secret yet: type alwayson login"}}
	}
	if err != nil {
		return "", &Error{path, []string{err.Error()}}
	}
	if runtime.GOOS != "windows" && fi.Mode().Perm()&0o077 != 0 {
		return "", &Error{path, []string{fmt.Sprintf("others may read it (mode %04o): type chmod 600 %s", fi.Mode().Perm(), path)}}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", &Error{path, []string{err.Error()}}
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// WriteSecret replaces a secret file, durably.
func WriteSecret(path, secret string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	s := safefile.NewSyncer(root)
	if err := safefile.Replace(root, s, filepath.Base(path), []byte(secret+"\n"), 0o600); err != nil {
		return err
	}
	return s.Sync()
}
