package watch

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// watches is the setting of Linux that bounds how many folders all programs of a user watch.
const watches = "fs.inotify.max_user_watches"

// limited is why a tree cannot be watched. If it is a limit of the system that a setting names, it says what to type.
func limited(root, setting string, err error) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EMFILE) {
		return fmt.Errorf("cannot watch %s: %w", root, err)
	}
	return fmt.Errorf("the system lets you watch no more folders → sudo sysctl %s=%d (%w)", setting, enough(setting), err)
}

// enough is twice of what a setting allows now.
func enough(setting string) int {
	text, _ := os.ReadFile("/proc/sys/" + strings.ReplaceAll(setting, ".", "/")) // 0 is what is not known
	n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return max(2*n, 1024)
}
