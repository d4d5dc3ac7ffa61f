package discover

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim"
)

// house is a person's folder with files in it.
func house(t *testing.T, files map[string]string) Home {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Home{dir, filepath.Join(dir, ".config"), filepath.Join(dir, ".local", "share")}
}

const (
	event   = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n"
	todo    = "BEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR\n"
	journal = "BEGIN:VCALENDAR\nBEGIN:VJOURNAL\nEND:VJOURNAL\nEND:VCALENDAR\n"
	card    = "BEGIN:VCARD\nEND:VCARD\n"
)

// maildir adds a folder with so many messages, of which one is new.
func maildir(files map[string]string, dir string, n int) {
	files[filepath.Join(dir, "tmp", "half")] = "S"
	files[filepath.Join(dir, "new", "m")] = "Subject: x\n\n"
	for i := range n - 1 {
		files[filepath.Join(dir, "cur", strings.Repeat("m", i+1))] = "Subject: x\n\n"
	}
}

// TestUsualPlaces: folders are found where people have them, with what is in them; what is no item does not count.
func TestUsualPlaces(t *testing.T) {
	files := map[string]string{
		".contacts/family/a.vcf": card, ".contacts/work/b.vcf": card, ".contacts/work/note.txt": "x", ".contacts/.hidden/c.vcf": card,
		".calendars/home/a.ics": event, ".calendars/home/b.ics": todo, "Notes/n.md": "# x", "Notes/n.ics": journal, "Tasks/readme.md": "x",
	}
	maildir(files, "Mail/INBOX", 4)
	maildir(files, "Mail/Archive", 3)
	h := house(t, files)
	var got []string
	for _, f := range Find(h) {
		rel, err := filepath.Rel(h.Dir, f.Dir)
		if err != nil || f.From != "usual place" {
			t.Error(f, err)
		}
		got = append(got, strings.Join([]string{string(f.Kind), rel, strings.Repeat("i", f.Items), strings.Repeat("p", f.Parts)}, " "))
	}
	want := []string{"contacts .contacts ii pp", "calendar .calendars i p", "notes Notes i p", "mail Mail iiiiiii pp"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestConfigurationsOfOthers: what they name comes first, as they write it.
func TestConfigurationsOfOthers(t *testing.T) {
	files := map[string]string{
		".config/khal/config":       "[calendars]\n[[home]]\npath = ~/cal/*\ntype = discover\n[sqlite]\npath = ~/khal.db\n",
		".config/khard/khard.conf":  "[addressbooks]\n[[family]]\npath = $HOME/people/family\n[[work]]\npath = ~/people/work\n",
		".config/todoman/config.py": "path = \"~/todo/*\"\ndate_format = '%Y'\n",
		".mbsyncrc":                 "IMAPStore far\nPath nothing\n\nMaildirStore near\n# a comment\nPath ~/post/\nInbox ~/post/INBOX\n",
		".notmuch-config":           "[database]\npath=post\n",
		"cal/a/x.ics":               event, "people/family/a.vcf": card, "people/work/b.vcf": card, "todo/l/t.ics": todo, ".contacts/c.vcf": card,
	}
	maildir(files, "post/INBOX", 3)
	h := house(t, files)
	got := map[pim.Kind][]string{}
	for _, f := range Find(h) {
		rel, err := filepath.Rel(h.Dir, f.Dir)
		if err != nil {
			t.Fatal(err)
		}
		got[f.Kind] = append(got[f.Kind], rel)
	}
	want := map[pim.Kind][]string{pim.Calendar: {"cal"}, pim.Contacts: {"people/family", "people/work", ".contacts"}, pim.Tasks: {"todo"}, pim.Mail: {"post"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestVdirsyncer: only folders on this device count, and each for what is in it.
func TestVdirsyncer(t *testing.T) {
	h := house(t, map[string]string{
		".config/vdirsyncer/config": "[general]\nstatus_path = \"~/s\"\n[storage a]\ntype = \"filesystem\"\npath = \"~/v/\"\nfileext = \".vcf\"\n[storage b]\ntype = \"carddav\"\npath = \"~/w\"\n",
		"v/book/a.vcf":              card, "v/cal/e.ics": event, "w/b.vcf": card,
	})
	list := Find(h)
	if len(list) != 2 || list[0].Kind != pim.Contacts || list[1].Kind != pim.Calendar || list[0].Dir != filepath.Join(h.Dir, "v") {
		t.Errorf("%+v", list)
	}
}

// TestNothingThere: an empty home has nothing, and a missing one neither.
func TestNothingThere(t *testing.T) {
	if list := append(Find(house(t, nil)), Find(Home{"/nowhere", "/nowhere", "/nowhere"})...); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}
