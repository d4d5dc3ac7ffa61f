//go:build !unix

package testenv

import "os/exec"

func group(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) { cmd.Process.Kill() } //nolint:errcheck // it may have ended
