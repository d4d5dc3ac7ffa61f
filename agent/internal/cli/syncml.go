package cli

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

func (a *app) syncml() *cobra.Command {
	cmd := &cobra.Command{Use: "syncml", Short: "Translate SyncML documents between WBXML and XML"}
	cmd.AddCommand(
		&cobra.Command{Use: "decode FILE", Short: "Show a WBXML document as XML (- is standard input)", Args: cobra.ExactArgs(1), RunE: a.translate(syncml.ToXML)},
		&cobra.Command{Use: "encode FILE", Short: "Write an XML document as WBXML (- is standard input)", Args: cobra.ExactArgs(1), RunE: a.translate(syncml.ToWBXML)},
	)
	return cmd
}

func (a *app) translate(do func([]byte) ([]byte, error)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		in, err := a.readFile(args[0])
		if err != nil {
			return err
		}
		out, err := do(in)
		if err != nil {
			return err
		}
		_, err = cmd.OutOrStdout().Write(out)
		return err
	}
}

func (a *app) readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(a.in)
	}
	return os.ReadFile(name)
}
