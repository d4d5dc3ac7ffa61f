package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release and commit are set by the linker (packaging/build.sh). Other builds say what the go command knows.
var release, commit string

// build is what this program was made from.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"commit_time,omitempty"`
	Modified bool   `json:"modified,omitempty"` // the sources were not as committed
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Version is that of the build.
func Version() string { return built().Version }

func built() build {
	b := build{Version: cmp.Or(release, "(devel)"), Commit: commit, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = cmp.Or(release, info.Main.Version, b.Version)
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = cmp.Or(commit, s.Value)
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version, the commit and the Go version of this program", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := built()
			return a.show(cmd, b, func() {
				fmt.Fprintf(cmd.OutOrStdout(), "alwayson %s, commit %s, %s, %s\n", b.Version, cmp.Or(b.Commit, "unknown"), b.Go, b.Platform)
			})
		},
	}
}
