package sock

import (
	"os"
	"path/filepath"
	"runtime"
)

// Default is where an agent listens if nothing else is configured.
func Default() string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	if runtime.GOOS == "windows" {
		return `\\.\pipe\alwayson-` + filepath.Base(home)
	}
	if p := os.Getenv("XDG_RUNTIME_DIR"); p != "" {
		return filepath.Join(p, "alwayson.sock")
	}
	return filepath.Join(stateDir(home), "agent.sock")
}

func stateDir(home string) string {
	if p := os.Getenv("XDG_STATE_HOME"); p != "" {
		return filepath.Join(p, "alwayson")
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "AlwaysOn", "State")
	}
	return filepath.Join(home, ".local", "state", "alwayson")
}
