package config

import (
	"os"
	"path/filepath"
	"runtime"

	"github.com/alwayson-sync/alwayson/agent/internal/sock"
)

// DefaultFile is where the user's configuration lies; ALWAYSON_CONFIG overrides it.
func DefaultFile() string {
	if p := os.Getenv("ALWAYSON_CONFIG"); p != "" {
		return p
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		dir = "."
	}
	return filepath.Join(dir, product(), "alwayson.toml")
}

// DefaultSystem is the folder of the configuration for everybody on this machine; ALWAYSON_SYSTEM overrides it.
func DefaultSystem() string {
	if p := os.Getenv("ALWAYSON_SYSTEM"); p != "" {
		return p
	}
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(os.Getenv("ProgramData"), "AlwaysOn")
	case "darwin":
		return "/Library/Application Support/AlwaysOn"
	}
	return "/etc/alwayson"
}

// DefaultState is where the agent remembers things.
func DefaultState() string {
	if p := os.Getenv("XDG_STATE_HOME"); p != "" && runtime.GOOS != "windows" {
		return filepath.Join(p, "alwayson")
	}
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(os.Getenv("LOCALAPPDATA"), "AlwaysOn", "State")
	case "darwin":
		return filepath.Join(home(), "Library", "Application Support", "AlwaysOn", "State")
	}
	return filepath.Join(home(), ".local", "state", "alwayson")
}

// DefaultSocket is where the agent listens for its controls.
func DefaultSocket() string { return sock.Default() }

func product() string {
	if runtime.GOOS == "linux" {
		return "alwayson"
	}
	return "AlwaysOn"
}

func home() string {
	dir, err := os.UserHomeDir()
	if err != nil {
		return "."
	}
	return dir
}
