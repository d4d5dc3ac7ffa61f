// Package browser opens an address in the user's browser.
package browser

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
)

// Open opens url in the browser, and does not wait for it.
func Open(url string) error {
	cmd := opener(url)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot open a browser: %w", err)
	}
	go cmd.Wait() //nolint:errcheck // what the browser does is the user's business
	return nil
}

// opener is the program of a system that knows which browser the user wants.
func opener(url string) *exec.Cmd {
	switch runtime.GOOS {
	case "windows":
		return exec.Command("rundll32", "url.dll,FileProtocolHandler", url) // start is no program but a word of the shell, which takes & for one of its own
	case "darwin":
		cmd := exec.Command("osascript") // open would show the address to all users of the device, among its arguments
		cmd.Stdin = strings.NewReader(fmt.Sprintf("open location %q", url))
		return cmd
	}
	return exec.Command("xdg-open", url) // the browser shows its arguments to all users: the page asks whose it is
}
