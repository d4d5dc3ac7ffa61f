// Package browser opens an address in the user's browser.
package browser

import (
	"fmt"
	"os/exec"
	"runtime"
)

// openers are the programs of the systems that know which browser the user wants.
var openers = map[string][]string{
	"windows": {"rundll32", "url.dll,FileProtocolHandler"}, // start is no program but a word of the shell, which takes & for one of its own
	"darwin":  {"open"},
}

// Open opens url in the browser, and does not wait for it.
func Open(url string) error {
	with, ok := openers[runtime.GOOS]
	if !ok {
		with = []string{"xdg-open"}
	}
	cmd := exec.Command(with[0], append(with[1:len(with):len(with)], url)...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot open a browser: %w", err)
	}
	go cmd.Wait() //nolint:errcheck // what the browser does is the user's business
	return nil
}
