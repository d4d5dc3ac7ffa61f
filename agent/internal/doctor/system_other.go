//go:build !linux

package doctor

// remoteSystem is known on Linux only.
func remoteSystem(string) string { return "" }

// watchLimit is one of Linux.
func watchLimit() (n int, known bool) { return 0, false }
