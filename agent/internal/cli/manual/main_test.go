package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/internal/cli"
	"github.com/alwayson-sync/alwayson/dm/mo"
)

// TestPages: each command has a page, with an example for each that can be typed; each setting and field is described; the same source makes the same bytes.
func TestPages(t *testing.T) {
	at := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	dirs := []string{t.TempDir(), t.TempDir()}
	for _, dir := range dirs {
		if err := write(dir, at); err != nil {
			t.Fatal(err)
		}
	}
	read := func(dir, name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	var each func(c *cobra.Command)
	each = func(c *cobra.Command) {
		name := filepath.Join("man1", strings.ReplaceAll(c.CommandPath(), " ", "-")+".1")
		text := read(dirs[0], name)
		if text != read(dirs[1], name) {
			t.Errorf("%s differs when it is made again", name)
		}
		if c.Runnable() && !strings.Contains(text, "EXAMPLE") && c.Name() != "help" && c.Parent().Name() != "completion" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				each(sub)
			}
		}
	}
	each(cli.Command())
	conf := strings.ReplaceAll(read(dirs[0], "man5/alwayson.toml.5"), `\&`, "")
	for _, s := range mo.Table {
		if !strings.Contains(conf, `\fB`+s.Key+`\fP`) {
			t.Errorf("%s is not in alwayson.toml(5)", s.Key)
		}
	}
	if text := read(dirs[0], "man7/alwayson-filters.7"); !strings.Contains(text, "since") || !strings.Contains(text, "contacts") {
		t.Error(text)
	}
}
