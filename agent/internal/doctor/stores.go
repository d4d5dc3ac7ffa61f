package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/match"
	"github.com/alwayson-sync/alwayson/pim/vdir"
)

// stores looks at each folder, and at what the agent says of it.
func stores(ctx context.Context, p *Patient, found func(Finding)) {
	if p.Config == nil {
		return
	}
	folders := 0
	for _, s := range p.Config.Stores {
		folders += store(ctx, p, s, func(f Finding) { found(f.of(s.Name)) })
	}
	watches(folders, found)
}

// store looks at one, and returns how many folders it has.
func store(ctx context.Context, p *Patient, s config.Store, found func(Finding)) (folders int) {
	folders, err := walk(s.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		found(fault("store.folder", fmt.Sprintf("%s is not there; nothing is deleted on the server for it", s.Dir), "mount it, or mkdir -p "+s.Dir))
		return 0
	case err != nil:
		found(fault("store.folder", fmt.Sprintf("%s cannot be read: %v", s.Dir, err), "make it readable for the user that the agent runs as"))
		return 0
	case !writable(s.Dir):
		found(fault("store.folder", s.Dir+" cannot be written to, so nothing arrives in it", "make it writable for the user that the agent runs as"))
	default:
		found(ok("store.folder", s.Dir+" is there, and can be written to"))
	}
	disk(s.Dir, found)
	if twins := duplicates(ctx, s); len(twins) > 0 {
		found(warning("store.duplicates", fmt.Sprintf("%d ids are in several files, e.g. %s; they are kept as separate items", len(twins), twins[0]), "delete those that are too many"))
	}
	told(p.Agent, s.Name, found)
	return folders
}

// walk reads a tree, and counts its folders: each takes a watch.
func walk(dir string) (folders int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			folders++
		}
		return nil
	})
	return folders, err
}

// writable tries it: permissions alone do not tell of file systems that are read-only.
func writable(dir string) bool {
	f, err := os.CreateTemp(dir, ".alwayson-doctor-*")
	if err != nil {
		return false
	}
	f.Close()
	return os.Remove(f.Name()) == nil
}

func disk(dir string, found func(Finding)) {
	free, known := replica.Free(dir)
	switch remote := remoteSystem(dir); {
	case !known:
	case free < replica.DefaultReserve:
		found(fault("store.disk", fmt.Sprintf("%s are left on the disk of %s; nothing new is stored below %s", humanize.IBytes(uint64(free)), dir,
			humanize.IBytes(replica.DefaultReserve)), "make room"))
	case remote != "":
		found(warning("store.events", fmt.Sprintf("%s is on %s, which tells of no changes that others make; they are found when it is looked at", dir, remote),
			"alwayson settings set session.poll 5m"))
	default:
		found(ok("store.disk", humanize.IBytes(uint64(free))+" are left on the disk"))
	}
}

// duplicates are the UIDs that are in several items of a store of files.
func duplicates(ctx context.Context, s config.Store) (uids []string) {
	if s.Kind == pim.Mail {
		return nil // the same message may lie in several folders
	}
	v := vdir.New(s.Dir, s.Kind)
	seen := map[string]int{}
	err := v.Scan(ctx, func(e pim.Entry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // it is one of the items with a problem
		}
		item, _, err := v.Read(ctx, e.Key)
		if err != nil {
			return nil //nolint:nilerr // likewise
		}
		id := item.Folder + "\x00" + match.Identify(item.Type, item.Body).UID
		if seen[id]++; seen[id] == 2 && !strings.HasSuffix(id, "\x00") {
			uids = append(uids, id[strings.IndexByte(id, 0)+1:])
		}
		return nil
	})
	if err != nil {
		return nil
	}
	return uids
}

// told passes on what the agent knows of a store.
func told(agent *control.Status, name string, found func(Finding)) {
	if agent == nil {
		return
	}
	for _, s := range agent.Stores {
		if s.Name != name {
			continue
		}
		if s.Unavailable != "" {
			found(fault("store.unavailable", s.Unavailable, "make the folder readable again; nothing is deleted for it"))
		}
		if s.Problems > 0 {
			found(warning("store.problems", fmt.Sprintf("%d items cannot be synchronized; the others are", s.Problems), "alwayson quarantine list"))
		}
		if s.Held > 0 {
			found(warning("store.held", fmt.Sprintf("%d deletions are held until you have looked at them", s.Held), "alwayson hold list"))
		}
		if s.Differ > 0 {
			found(fault("store.differ", fmt.Sprintf("%d items differ from those of the server", s.Differ), "alwayson verify"))
		}
	}
}

// watches compares the folders with what the system lets a user watch.
func watches(folders int, found func(Finding)) {
	limit, known := watchLimit()
	switch {
	case !known:
	case folders > limit:
		found(fault("stores.watches", fmt.Sprintf("the stores have %d folders, and the system lets you watch %d: changes in the others are found late", folders, limit),
			fmt.Sprintf("sudo sysctl fs.inotify.max_user_watches=%d", 2*folders)))
	case folders > limit/2:
		found(warning("stores.watches", fmt.Sprintf("the stores have %d folders of %d that the system lets all your programs watch", folders, limit),
			fmt.Sprintf("sudo sysctl fs.inotify.max_user_watches=%d", 4*folders)))
	default:
		found(ok("stores.watches", fmt.Sprintf("%d folders are watched, the system allows %d", folders, limit)))
	}
}
