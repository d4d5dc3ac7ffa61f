package discover

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
)

// configured are the places that configurations of other programs name.
func (h Home) configured() (out []place) {
	for _, c := range []struct {
		path string
		read func(h Home, lines []line) []place
	}{
		{filepath.Join(h.Config, "khal", "config"), khal},
		{filepath.Join(h.Config, "khard", "khard.conf"), khard},
		{filepath.Join(h.Config, "todoman", "config.py"), todoman},
		{filepath.Join(h.Config, "todoman", "todoman.conf"), todoman},
		{filepath.Join(h.Config, "vdirsyncer", "config"), vdirsyncer},
		{filepath.Join(h.Dir, ".vdirsyncer", "config"), vdirsyncer},
		{filepath.Join(h.Dir, ".mbsyncrc"), mbsync},
		{filepath.Join(h.Config, "isyncrc"), mbsync},
		{filepath.Join(h.Dir, ".notmuch-config"), notmuch},
		{filepath.Join(h.Config, "notmuch", "default", "config"), notmuch},
	} {
		for _, p := range c.read(h, linesOf(c.path)) {
			p.from = c.path
			out = append(out, p)
		}
	}
	return out
}

// line is a key with its value in a section; mbsync has none, and a blank between the two.
type line struct{ section, key, value string }

// linesOf reads what all those files have in common; none if there is no such file.
func linesOf(path string) (out []line) {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	section := ""
	for s := bufio.NewScanner(f); s.Scan(); {
		text := strings.TrimSpace(s.Text())
		switch {
		case text == "", strings.HasPrefix(text, "#"), strings.HasPrefix(text, ";"):
		case strings.HasPrefix(text, "["):
			section = strings.Trim(text, "[] \t")
		default:
			i := strings.IndexAny(text, "= \t")
			if i < 0 {
				i = len(text)
			}
			out = append(out, line{section, text[:i], strings.Trim(text[i:], "= \t\"',")})
		}
	}
	return out
}

// dir is a path as such configurations write it, up to where it is a pattern: khal's discover has ~/.calendars/*.
func (h Home) dir(value string) string {
	if rest, ok := strings.CutPrefix(value, "~"); ok {
		value = h.Dir + rest
	}
	value = os.Expand(value, func(name string) string {
		switch name {
		case "HOME":
			return h.Dir
		case "XDG_DATA_HOME":
			return h.Data
		case "XDG_CONFIG_HOME":
			return h.Config
		}
		return ""
	})
	if i := strings.IndexAny(value, "*?["); i >= 0 {
		value = filepath.Dir(value[:i] + "x")
	}
	if !filepath.IsAbs(value) {
		value = filepath.Join(h.Dir, value)
	}
	return filepath.Clean(value)
}

func khal(h Home, lines []line) (out []place) {
	for _, l := range lines {
		if l.key == "path" && l.section != "sqlite" && l.section != "locale" {
			out = append(out, place{kind: pim.Calendar, dir: h.dir(l.value)}, place{kind: pim.Tasks, dir: h.dir(l.value)})
		}
	}
	return out
}

func khard(h Home, lines []line) (out []place) {
	for _, l := range lines {
		if l.key == "path" {
			out = append(out, place{kind: pim.Contacts, dir: h.dir(l.value)})
		}
	}
	return out
}

func todoman(h Home, lines []line) (out []place) {
	for _, l := range lines {
		if l.key == "path" {
			out = append(out, place{kind: pim.Tasks, dir: h.dir(l.value)})
		}
	}
	return out
}

// vdirsyncer names folders of all kinds; the files in them tell which.
func vdirsyncer(h Home, lines []line) (out []place) {
	local := map[string]bool{}
	for _, l := range lines {
		if l.key == "type" {
			local[l.section] = l.value == "filesystem"
		}
	}
	for _, l := range lines {
		if l.key == "path" && local[l.section] {
			for _, k := range []pim.Kind{pim.Contacts, pim.Calendar, pim.Tasks, pim.Notes} {
				out = append(out, place{kind: k, dir: h.dir(l.value)})
			}
		}
	}
	return out
}

func mbsync(h Home, lines []line) (out []place) {
	local := false
	for _, l := range lines {
		switch strings.ToLower(l.key) {
		case "maildirstore":
			local = true
		case "imapstore", "imapaccount", "channel":
			local = false
		case "path", "inbox":
			if local {
				out = append(out, place{kind: pim.Mail, dir: h.dir(l.value)})
			}
		}
	}
	return out
}

func notmuch(h Home, lines []line) (out []place) {
	for _, l := range lines {
		if l.section == "database" && (l.key == "path" || l.key == "mail_root") {
			out = append(out, place{kind: pim.Mail, dir: h.dir(l.value)})
		}
	}
	return out
}
