package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

// speakHelp makes what --help lists be said in the user's language: commands, flags and headings. What is longer than a line, and the manual, is English.
func speakHelp(root *cobra.Command) {
	help := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		translate(root)
		out := c.OutOrStdout()
		var text bytes.Buffer
		c.SetOut(&text)
		help(c, args)
		c.SetOut(out)
		for line := range strings.Lines(text.String()) {
			fmt.Fprintln(out, say.Sentence(strings.TrimSuffix(line, "\n")))
		}
	})
}

// translate translates what a command says of itself, and of its flags.
func translate(c *cobra.Command) {
	c.Short = say.Sentence(c.Short)
	for _, flags := range []*pflag.FlagSet{c.Flags(), c.PersistentFlags()} {
		flags.VisitAll(func(f *pflag.Flag) { f.Usage = say.Sentence(f.Usage) })
	}
	for _, sub := range c.Commands() {
		translate(sub)
	}
}
