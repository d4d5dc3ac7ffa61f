package doctor

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// volume is a file system.
type volume struct {
	free   int64  // octets
	remote string // what it is called if it is in the network or another program's, "" if not
}

// remotes are file systems that tell of no changes that others make.
var remotes = map[int64]string{
	unix.NFS_SUPER_MAGIC: "NFS", unix.SMB_SUPER_MAGIC: "SMB", 0xff534d42: "CIFS", 0xfe534d42: "SMB", unix.FUSE_SUPER_MAGIC: "FUSE", unix.V9FS_MAGIC: "9P",
}

func fileSystem(dir string) (v volume, known bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return v, false
	}
	return volume{free: int64(st.Bavail) * int64(st.Bsize), remote: remotes[int64(st.Type)]}, true //nolint:unconvert // they differ by architecture
}

func watchLimit() (n int, known bool) {
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_user_watches")
	if err != nil {
		return 0, false
	}
	n, err = strconv.Atoi(strings.TrimSpace(string(text)))
	return n, err == nil
}
