//go:build !linux

package replica

// Free is known on Linux only; elsewhere a full disk is found out by writing.
func Free(string) (octets int64, ok bool) { return 0, false }
