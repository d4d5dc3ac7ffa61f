package say

import (
	"context"
	"os/exec"
	"strings"
	"time"
)

// asking is how long the system may take to answer: nobody waits longer for a language.
const asking = time.Second

// preferred is the language of the desktop, which programs that no terminal has started do not have in their environment.
func preferred() []string {
	ctx, cancel := context.WithTimeout(context.Background(), asking)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/usr/bin/defaults", "read", "-g", "AppleLocale").Output()
	if err != nil {
		return nil
	}
	return []string{strings.TrimSpace(string(out))}
}
