package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/dustin/go-humanize"
)

// data looks at what the agent remembers, and how old its proof is that both sides are equal.
func data(_ context.Context, p *Patient, found func(Finding)) {
	if p.Config == nil {
		return
	}
	found(stateFolder(p.Config.State))
	size := sizeOf(p.Config.State) + sizeOf(p.Config.State+"-history")
	found(ok("data.size", "what the agent remembers takes "+humanize.IBytes(uint64(size))+", former versions included"))
	s := p.Agent
	if s == nil || !s.AlwaysOn || s.State != "idle" { // else its state says more
		return
	}
	late := 2 * time.Duration(p.Config.Session.Poll)
	switch {
	case s.Verified == nil:
		found(warning("data.verified", "nothing was synchronized yet", "alwayson sync --wait"))
	case p.Now.Sub(*s.Verified) > late:
		found(warning("data.verified", fmt.Sprintf("both sides agreed last on %s", s.Verified.Local().Format(time.DateTime)), "alwayson sync --wait"))
	default:
		found(ok("data.verified", "both sides agreed last at "+s.Verified.Local().Format(time.DateTime)))
	}
}

func stateFolder(dir string) Finding {
	fi, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ok("data.folder", dir+" will be made when the agent runs")
	case err != nil:
		return fault("data.folder", err.Error(), "make it readable for the user that the agent runs as")
	case runtime.GOOS != "windows" && fi.Mode().Perm()&0o077 != 0:
		f := warning("data.folder", fmt.Sprintf("others can read %s (mode %04o), which has parts of your data", dir, fi.Mode().Perm()), "chmod 700 "+dir)
		f.Repair = func() error { return os.Chmod(dir, 0o700) }
		return f
	}
	return ok("data.folder", dir+" is for nobody else to read")
}

// sizeOf is how many octets of a tree can be seen.
func sizeOf(dir string) (n int64) {
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error { //nolint:errcheck // it is an estimate
		if err == nil && d.Type().IsRegular() {
			if fi, err := d.Info(); err == nil {
				n += fi.Size()
			}
		}
		return nil
	})
	return n
}
