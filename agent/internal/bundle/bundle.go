// Package bundle puts together what somebody who helps needs to see of a device, without what is none of his business.
package bundle

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/doctor"
)

// Bundle is what is put together. What is missing is left out.
type Bundle struct {
	Version string
	System  string // operating system and architecture
	At      time.Time

	Findings []doctor.Finding
	Status   *control.Status
	Log      []control.Exchange // the last ones
	Why      []control.Why
	Pending  []control.Pending
	Settings []control.Setting
	Config   string // the file as it is written
	Journal  string // what the agent has written of its work, as far as the system keeps that
	Crash    string // what it said when it crashed last

	Secrets []string // that are hidden wherever they stand
	Users   []string // names of users, likewise
	Home    string   // the user's folder, of which the name is hidden
}

// File is one file of a bundle.
type File struct{ Name, About, Text string }

// Files are those of the bundle, redacted.
func (b *Bundle) Files() ([]File, error) {
	r := b.redactor()
	var out []File
	for _, f := range []struct {
		name, about string
		v           any
		there       bool
	}{
		{"doctor.json", "what alwayson doctor finds", b.Findings, len(b.Findings) > 0},
		{"status.json", "where the agent stands", b.Status, b.Status != nil},
		{"log.json", "the last exchanges: when, why, how many items, what went wrong; no items", b.Log, len(b.Log) > 0},
		{"why.json", "why exchanges ran, and why others did not", b.Why, len(b.Why) > 0},
		{"pending.json", "items that wait or have a problem; their names are replaced", b.Pending, len(b.Pending) > 0},
		{"settings.json", "what is set, and by whom", b.Settings, len(b.Settings) > 0},
	} {
		if !f.there {
			continue
		}
		text, err := json.MarshalIndent(f.v, "", "  ")
		if err != nil {
			return nil, err
		}
		out = append(out, File{f.name, f.about, r.Redact(plain(string(text)))})
	}
	for _, f := range []File{{"alwayson.toml", "the configuration", b.Config}, {"journal.txt", "what the agent wrote of its work", b.Journal},
		{"crash.txt", "what the agent said when it crashed: which part of the program did what", b.Crash}} {
		if f.Text != "" {
			out = append(out, File{f.Name, f.About, r.Redact(f.Text)})
		}
	}
	return append(out, File{"README.txt", "what is in here", b.readme(out)}), nil
}

// plain undoes what JSON does to the characters that stand around what was replaced.
func plain(text string) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(text)
}

func (b *Bundle) redactor() *Redactor {
	r := &Redactor{}
	for _, s := range b.Secrets {
		r.Hide(s, "<secret>")
	}
	for _, u := range b.Users {
		r.HideWord(u, "<user>")
	}
	r.Hide(b.Home, "~")
	names := map[string]bool{}
	for _, p := range b.Pending {
		if names[p.Item] {
			continue
		}
		names[p.Item] = true
		by := fmt.Sprintf("<item %d>", len(names))
		r.Hide(p.Item, by)
		r.Hide(p.Item[strings.LastIndexAny(p.Item, `/\`)+1:], by)
	}
	return r
}

func (b *Bundle) readme(files []File) string {
	var s strings.Builder
	fmt.Fprintf(&s, "alwayson %s on %s, %s\n\n", b.Version, b.System, b.At.UTC().Format(time.RFC3339))
	for _, f := range files {
		fmt.Fprintf(&s, "%-16s%s\n", f.Name, f.About)
	}
	s.WriteString("\nNo items and no secrets are in here. Names of users, addresses of people and names of items are replaced, each by the same\n" +
		"word everywhere. Names of servers, of this device and of its folders are not: without them nobody can help.\n")
	return s.String()
}

// Write writes files as a zip archive.
func Write(w io.Writer, files []File, at time.Time) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		out, err := z.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: at})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(out, f.Text); err != nil {
			return err
		}
	}
	return z.Close()
}
