package mo_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm/mo"
)

var update = flag.Bool("update", false, "write the files that are made from the table")

// TestTheFilesAreThoseOfTheTable: what is shipped for administrators says what the program does.
func TestTheFilesAreThoseOfTheTable(t *testing.T) {
	description, err := mo.Description().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"alwayson.ddf": append(description, '\n'), "settings.md": reference()} {
		path := "../../configs/" + name
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("configs/%s is not what the table says (%v); type go test ./dm/mo -update", name, err)
		}
	}
}

// reference is a page of all settings, and of what a device tells beside them.
func reference() []byte {
	var b bytes.Buffer
	b.WriteString("# Settings\n\nMade from the table in dm/mo: type `go test ./dm/mo -update` after a change of it.\n\n" +
		"A key is what `alwayson settings` and `alwayson-server settings` take; in the configuration file `session.poll` is `poll` in `[session]`, and\n" +
		"`store.*.filter` is `filter` of each `[[store]]`, whose name stands for `*`; `always_on` and `locked` are not in it. In the environment `session.poll` is\n" +
		"`ALWAYSON_SESSION_POLL`. Built-in values, `/etc/alwayson/alwayson.toml`, `/etc/alwayson/conf.d/*.toml`, the user's file and the environment, each over those before,\n" +
		"are the configuration; the last wish of administrator and command line holds over it until the configuration says something else, and locks exclude all but the\n" +
		"administrator. Secrets are never taken from the environment. The node is the same setting in the management tree\n" +
		"(`alwayson.ddf`). What follows from a change: *none*, it is in use at once; *open*, a session is opened; *sync*, an exchange follows; *restart*, the\n" +
		"session is broken and a new one begins with an incremental sync. There, a value with which the device cannot be reached is taken back by itself.\n" +
		"A node that is deleted says what the device's own configuration says.\n\n" +
		"| key | node | type | default | values | a change | |\n|---|---|---|---|---|---|---|\n")
	for i := range mo.Table {
		s := &mo.Table[i]
		format := s.Type.String()
		if s.Seconds {
			format += " (in the tree: seconds)"
		}
		if s.Secret {
			format += ", never shown"
		}
		row(&b, code(s.Key), code(s.Node), format, code(s.Default), s.Bounds(), s.Effect.String(), s.Help)
	}
	b.WriteString("\n# What a device tells of itself\n\nThese nodes can be read and not be changed; one is executed. Secrets are not in the tree.\n\n" +
		"| node | format | |\n|---|---|---|\n")
	for _, f := range mo.Facts {
		format := string(f.Format)
		switch {
		case f.Exec:
			format = "executed"
		case format == "":
			format = "chr"
		}
		row(&b, code(f.Node), format, f.Help)
	}
	b.WriteString("\n# What a server says to the user\n\nA server may show something to the user or ask him something (alerts 1100 to 1104). Nobody is waited for: what it says is kept for\n" +
		"`alwayson why`, and a question is answered by the default that the server names (`DR`), by 408 (timeout) without one.\n")
	return b.Bytes()
}

func row(b *bytes.Buffer, cells ...string) {
	for _, c := range cells {
		fmt.Fprintf(b, "| %s ", strings.ReplaceAll(c, "|", `\|`))
	}
	b.WriteString("|\n")
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}
