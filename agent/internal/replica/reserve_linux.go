package replica

import "golang.org/x/sys/unix"

// Free is how many octets a folder's file system has left for us; not ok if it does not say.
func Free(dir string) (octets int64, ok bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true //nolint:unconvert // they differ by architecture
}
