package tray

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// asking is how long the command line may take.
const asking = 5 * time.Second

// HowToStart is what to type to start the agent: the service if one is installed, which the command line knows.
func HowToStart(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	out, _ := exec.CommandContext(ctx, commandLine(), "service", "status", "--json").Output() // without one, nothing is installed
	return startOf(out)
}

func startOf(answer []byte) string {
	var service struct{ Installed bool }
	if json.Unmarshal(answer, &service) != nil || !service.Installed {
		return "alwayson run"
	}
	return "alwayson service start"
}

// commandLine lies beside the tray, or where programs are looked for.
func commandLine() string {
	const name = "alwayson"
	self, err := os.Executable()
	if err != nil {
		return name
	}
	beside, err := exec.LookPath(filepath.Join(filepath.Dir(self), name))
	if err != nil {
		return name
	}
	return beside
}
