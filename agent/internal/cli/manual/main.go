// Manual writes the man pages: of each command, of the configuration file, of the filter language.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra/doc"

	"github.com/alwayson-sync/alwayson/agent/internal/cli"
	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: manual FOLDER")
		os.Exit(64)
	}
	if err := write(os.Args[1], buildTime()); err != nil {
		fmt.Fprintln(os.Stderr, "manual:", err)
		os.Exit(1)
	}
}

// buildTime is that of the source, so that the same source makes the same pages.
func buildTime() time.Time {
	if n, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return time.Unix(n, 0).UTC()
	}
	return time.Now().UTC()
}

// write writes man1, man5 and man7 into a folder.
func write(dir string, at time.Time) error {
	for _, section := range []string{"man1", "man5", "man7"} {
		if err := os.MkdirAll(filepath.Join(dir, section), 0o755); err != nil {
			return err
		}
	}
	for name, value := range map[string]string{"HOME": "~", "XDG_CONFIG_HOME": "", "ALWAYSON_CONFIG": ""} { // no page shall tell where it was made
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	root := cli.Command()
	root.DisableAutoGenTag = true
	if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Date: &at, Source: "alwayson", Manual: "alwayson"}, filepath.Join(dir, "man1")); err != nil {
		return err
	}
	date := at.Format("January 2006")
	if err := page(filepath.Join(dir, "man5", "alwayson.toml.5"), settings(date)); err != nil {
		return err
	}
	return page(filepath.Join(dir, "man7", "alwayson-filters.7"), filters(date))
}

func page(path, markdown string) error {
	return os.WriteFile(path, md2man.Render([]byte(markdown)), 0o644)
}

func title(name, section, date, what string) string {
	return fmt.Sprintf("%% %s %s \"%s\" \"alwayson\" \"alwayson\"\n\n# NAME\n\n%s - %s\n\n", strings.ToUpper(name), section, date, name, what)
}

// settings is alwayson.toml(5), made from the table of settings.
func settings(date string) string {
	var b strings.Builder
	b.WriteString(title("alwayson.toml", "5", date, "configuration of alwayson"))
	b.WriteString("# DESCRIPTION\n\nThe file is TOML. A key like **session.poll** is **poll** in the table **[session]**; **store.\\*.filter** is **filter** of each **[[store]]**.\n" +
		"A key that is not known is a mistake, and named with its line. What is changed while the agent runs is in use at once, as far as it can be.\n" +
		"**alwayson setup** writes the file, **alwayson settings** shows and changes what holds.\n\n# SETTINGS\n\n")
	for _, s := range mo.Table {
		fmt.Fprintf(&b, "**%s** (%s", strings.ReplaceAll(s.Key, "*", `\*`), s.Type)
		if s.Default != "" {
			fmt.Fprintf(&b, ", default %s", s.Default)
		}
		if len(s.OneOf) > 0 {
			fmt.Fprintf(&b, ", one of %s", strings.Join(s.OneOf, ", "))
		}
		fmt.Fprintf(&b, ")\n: %s\n\n", escape(s.Help))
	}
	b.WriteString("# SEE ALSO\n\n**alwayson**(1), **alwayson-filters**(7)\n")
	return b.String()
}

// filters is alwayson-filters(7), made from the fields of the language.
func filters(date string) string {
	var b strings.Builder
	b.WriteString(title("alwayson-filters", "7", date, "what of a store a device keeps"))
	b.WriteString("# DESCRIPTION\n\nA filter is a list of terms, all of which must hold; **or** and parentheses make alternatives, and **or** binds weaker. A value may be a list with\n" +
		"commas, of which one must hold; quotes hold blanks: **subject:\"weekly report\"**. A minus before a term or a group negates it. Texts are compared\n" +
		"without regard to case. What cannot be judged is kept. What a filter leaves out stays on the server.\n\n" +
		"# EXAMPLE\n\n    alwayson filter set mail 'from:@customer.example since:14d body:full attachments:2m'\n\n# FIELDS\n\n")
	for _, k := range []pim.Kind{pim.Mail, pim.Contacts, pim.Calendar, pim.Tasks, pim.Notes} {
		fmt.Fprintf(&b, "## %s\n\n", k)
		for _, name := range filter.FieldNames(k) {
			fmt.Fprintf(&b, "**%s**\n: %s\n\n", name, escape(filter.Help(strings.TrimSuffix(name, ":"))))
		}
	}
	b.WriteString("# SEE ALSO\n\n**alwayson-filter**(1)\n")
	return b.String()
}

// escape keeps Markdown from taking text for marks.
func escape(text string) string {
	return strings.NewReplacer("*", `\*`, "_", `\_`, "<", `\<`).Replace(text)
}
