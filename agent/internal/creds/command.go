package creds

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
)

func (p *Place) fromCommand(ctx context.Context) (string, error) {
	words, err := config.Words(p.Command)
	if err != nil {
		return "", p.failed(err.Error())
	}
	limit := cmp.Or(p.Patience, commandPatience)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second // for what it has started itself
	err = cmd.Run()
	line, _, _ := strings.Cut(stdout.String(), "\n")
	line = strings.TrimRight(line, "\r")
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", p.failed("it has not answered within " + limit.String())
	case err != nil:
		return "", p.failed(err.Error() + said(stderr.String()))
	case line == "":
		return "", p.failed("the first line that it writes is empty" + said(stderr.String()))
	}
	return line, nil
}

// said is the last line that a command has written as its complaint.
func said(stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return ": " + last
	}
	return ""
}

func (p *Place) failed(why string) error {
	return &Error{Problem: Failed, What: "the command that has the secret fails: " + why, Advice: "type it yourself (" + p.Command + ")"}
}
