package safefile

import (
	"os"

	"golang.org/x/sys/unix"
)

// beforeRename has nothing to do here: one syncfs at the end writes data and names.
func (s *Syncer) beforeRename(*os.File) error { return nil }

// syncFolders asks each file system once. The folders of one store nearly always lie on one; asking one that has nothing left to
// write is cheap.
func (s *Syncer) syncFolders() error {
	seen := make(map[uint64]bool)
	for folder := range s.touched {
		if err := s.syncFolder(folder, seen); err != nil {
			return err
		}
	}
	return nil
}

func (s *Syncer) syncFolder(folder string, seen map[uint64]bool) error {
	d, err := s.open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(d.Fd()), &st); err != nil {
		return err
	}
	if dev := uint64(st.Dev); !seen[dev] {
		seen[dev] = true
		return unix.Syncfs(int(d.Fd()))
	}
	return nil
}
