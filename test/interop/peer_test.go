package interop

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// deviceID, user and secret are what SyncEvolution's side is configured with.
const (
	deviceID = "interop-device-1"
	user     = "test"
)

// seServer is SyncEvolution as server.
type seServer struct {
	*home
	*testenv.SyncEvolution
}

func newSEServer(t testing.TB, o options) *seServer {
	s := &seServer{home: newHome(t, "srv")}
	s.configureSources("@server", "logdir=")
	props := []string{"--configure", "--template", "SyncEvolution_Client", "deviceId=interop-server", "remoteDeviceId=" + deviceID,
		"RetryDuration=300", "printChanges=0", "dumpData=0", "username=" + user, "password=" + o.secret()}
	if o.serverMaxMsg > 0 {
		props = append(props, fmt.Sprint("maxMsgSize=", o.serverMaxMsg))
	}
	s.mustRun(append(props, "dev@server", "addressbook", "calendar", "todo", "memo")...)
	preload := ""
	if o.resumable {
		preload = filepath.Join(labDir, "resumefix.so")
	}
	s.SyncEvolution = testenv.StartSyncEvolution(t, s.dir, testenv.FreePort(t), preload, s.env)
	return s
}

// forget wipes what the server knows of the device: anchors, ids, changes (peers.md 4).
func (s *seServer) forget() {
	s.t.Helper()
	peer := filepath.Join(s.dir, "config", "syncevolution", "server", "peers", "dev")
	for _, pattern := range []string{".internal.ini", "sources/*/.internal.ini", "sources/*/.server.ini", "sources/*/.other.ini"} {
		files, err := filepath.Glob(filepath.Join(peer, pattern))
		if err != nil {
			s.t.Fatal(err)
		}
		for _, f := range files {
			if err := os.Remove(f); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

func (h *home) remove(store, name string) {
	h.t.Helper()
	if err := os.Remove(filepath.Join(h.data(store), name)); err != nil {
		h.t.Fatal(err)
	}
}

// seClient is SyncEvolution's command line.
type seClient struct{ *home }

func newSEClient(t testing.TB, o options, url string) *seClient {
	c := &seClient{newHome(t, "cli")}
	c.configureSources("@default", "deviceId="+deviceID)
	args := []string{"--configure", "--template", "SyncEvolution", "syncURL=" + url, "username=" + user, "password=" + o.clientSecret(),
		"preventSlowSync=0", "printChanges=0", "dumpData=0", "enableRefreshSync=1", "RetryInterval=4s", "RetryDuration=12s"}
	if o.encoding == "XML" {
		args = append(args, "enableWBXML=0")
	}
	if o.basic {
		args = append(args, "clientAuthType=basic")
	}
	if o.clientMaxMsg > 0 {
		args = append(args, fmt.Sprint("maxMsgSize=", o.clientMaxMsg))
	}
	args = append(args, o.clientProps...)
	for _, k := range kinds {
		uri := k
		if k == o.unknownStore {
			uri = "diary"
		}
		args = append(args, sources[k].name+"/uri="+uri)
	}
	c.mustRun(append(args, "labserver", "addressbook", "calendar", "todo", "memo")...)
	return c
}

// seModes are SyncEvolution's words for the sync types.
var seModes = map[string]string{
	"": "two-way", "two-way": "two-way", "slow": "slow", "one-way-from-client": "one-way-from-local", "one-way-from-server": "one-way-from-remote",
	"refresh-from-client": "refresh-from-local", "refresh-from-server": "refresh-from-remote",
}

// row is a line of the table that SyncEvolution prints: what it changed here and there.
var row = regexp.MustCompile(`\|\s+(\w+) \|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|`)

// sync runs the command line once.
func (c *seClient) sync(ctx context.Context, stores []string, mode string) outcome {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	args := []string{"--sync", seModes[mode], "labserver"}
	for _, k := range stores {
		args = append(args, sources[k].name)
	}
	out, err := c.command(ctx, args...).CombinedOutput()
	o := outcome{text: string(out), err: err}
	for _, m := range row.FindAllStringSubmatch(o.text, -1) {
		for i := 2; i <= 9; i++ {
			var n int
			fmt.Sscan(m[i], &n) //nolint:errcheck // the pattern has digits only
			if i != 5 && i != 9 {
				o.changes += n
			}
		}
	}
	return o
}
