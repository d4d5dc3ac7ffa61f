//go:build !linux

package doctor

// volume is a file system.
type volume struct {
	free   int64
	remote string
}

// fileSystem is known on Linux only.
func fileSystem(string) (v volume, known bool) { return v, false }

// watchLimit is one of Linux.
func watchLimit() (n int, known bool) { return 0, false }
