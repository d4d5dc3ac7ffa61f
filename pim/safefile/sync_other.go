//go:build !linux

package safefile

import (
	"os"
	"runtime"
)

// beforeRename makes the data durable before its name shows it.
func (s *Syncer) beforeRename(f *os.File) error { return f.Sync() }

// syncFolders makes the names durable. Windows has no such call; its file systems log names by themselves.
func (s *Syncer) syncFolders() error {
	if runtime.GOOS == "windows" {
		return nil
	}
	for folder := range s.touched {
		d, err := s.open(folder)
		if err != nil {
			return err
		}
		err = d.Sync()
		d.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
