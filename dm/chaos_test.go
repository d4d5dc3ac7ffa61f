package dm_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm/dmclient"
	"github.com/alwayson-sync/alwayson/dm/dmserver"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/ds/san"
)

// chaos is a carrier that loses packets, brings them twice and late, and ends that die. What is durable are the tree, the nonces, and the outcomes.
type chaos struct {
	*world
	rand    *rand.Rand
	fair    bool // nothing goes wrong any more
	faulty  bool // the store fails at times
	old     []packet.Packet
	work    []dmserver.Work
	applied map[string]int // outcomes by id
	session int
}

func (c *chaos) bad(percent int) bool { return !c.fair && c.rand.IntN(100) < percent }

// try is one session, until it is over or one of the ends has died. It says whether the server is done.
func (c *chaos) try() bool {
	c.t.Helper()
	c.session++
	c.wake()
	c.startDevice()
	c.startServer()
	up, err := c.dev.Start()
	if err != nil {
		c.t.Fatal(err)
	}
	for range 300 {
		if c.bad(5) {
			c.open() // the device dies
			return false
		}
		if c.bad(5) {
			c.startServer() // forgets the session, to which the device may speak
		}
		if c.faulty && c.bad(20) {
			c.store.Left, c.store.Once = c.rand.IntN(4), true // one write will fail
		}
		down := c.atServer(up)
		answer, done := c.atDevice(down)
		if !answer.IsZero() {
			up = answer
		}
		if done && answer.IsZero() || c.devErr != nil {
			return c.srvDone
		}
		if c.fair && down.IsZero() {
			return c.srvDone
		}
	}
	return false
}

// wake sends a notification, which the device knows to be the server's whatever has been lost before.
func (c *chaos) wake() {
	c.t.Helper()
	n, err := dmserver.Notification(c.server.Account, uint16(c.session), san.Background)
	if err != nil {
		c.t.Fatal(err)
	}
	asked, err := dmclient.ReadNotification(n, c.device.Account)
	if err != nil {
		c.t.Fatalf("session %d: %v", c.session, err)
	}
	c.device.SessionID, c.device.ByServer = asked.SessionID, true
}

func (c *chaos) startDevice() {
	var err error
	if c.dev, err = dmclient.New(c.device); err != nil {
		c.t.Fatal(err)
	}
	c.devErr, c.srvDone = nil, false
}

func (c *chaos) startServer() {
	var err error
	c.server.Work = slices.DeleteFunc(slices.Clone(c.work), func(w dmserver.Work) bool { return c.applied[w.ID] > 0 })
	if c.srv, err = dmserver.New(c.server); err != nil {
		c.t.Fatal(err)
	}
	c.srvDone = false
}

// arrives is what comes of a packet, old ones among it.
func (c *chaos) arrives(p packet.Packet) []packet.Packet {
	var out []packet.Packet
	if !p.IsZero() && !c.bad(15) {
		out = append(out, packet.Packet{Body: bytes.Clone(p.Body), HMAC: p.HMAC})
	}
	if c.bad(15) {
		out = append(out, out...)
	}
	if len(c.old) > 0 && c.bad(15) {
		out = append(out, c.old[c.rand.IntN(len(c.old))])
	}
	if !p.IsZero() {
		c.old = append(c.old, p)
	}
	return out
}

func (c *chaos) atServer(up packet.Packet) (down packet.Packet) {
	for _, p := range c.arrives(up) {
		before := len(c.srv.Report().Outcomes)
		out, done, err := c.srv.Handle(p)
		if errors.Is(err, dmserver.ErrAnew) && bytes.Equal(p.Body, up.Body) {
			c.startServer()
			before = 0
			out, done, err = c.srv.Handle(p)
		}
		c.srvDone = done
		if err != nil && done {
			c.startServer()
		}
		for _, o := range c.srv.Report().Outcomes[min(before, len(c.srv.Report().Outcomes)):] {
			if o.Applied() {
				c.applied[o.ID]++
			} else if o.Status != 0 && !c.faulty {
				c.t.Errorf("session %d: %+v", c.session, o)
			}
		}
		c.server.Account.Nonces = c.srv.Report().Nonces
		if !out.IsZero() {
			down = out
		}
	}
	return down
}

func (c *chaos) atDevice(down packet.Packet) (answer packet.Packet, done bool) {
	for _, p := range c.arrives(down) {
		out, over, err := c.dev.Handle(noon, p)
		if err != nil && over {
			c.devErr = err
		}
		c.device.Account.Nonces = c.dev.Report().Nonces
		if !out.IsZero() {
			answer = out
		}
		done = done || over
	}
	return answer, done
}

// largeHost makes a group that goes out in several messages.
var largeHost = strings.Repeat("b.example ", 500)

// check asks for what is true all the time: the settings that belong together are all old or all new.
func (c *chaos) check() {
	c.t.Helper()
	got := fmt.Sprint(c.value("./Set/Host"), c.value("./Set/Port"), c.value("./Set/TLS"))
	if got != "a.example1true" && got != largeHost+"8883false" {
		c.t.Errorf("session %d: half of the settings are new: %s", c.session, got)
	}
	if c.applied["push"] > 0 && got != largeHost+"8883false" {
		c.t.Errorf("session %d: the push is said to be applied, and is not: %s", c.session, got)
	}
}

// TestChaos: whatever is lost, comes twice, cannot be written or dies, settings change together, what is said to be applied is, and when the world is good again one
// session does the rest.
func TestChaos(t *testing.T) {
	seeds := uint64(20)
	if testing.Short() {
		seeds = 5
	}
	each(t, func(t *testing.T, first *world) {
		for seed := range seeds {
			w := newWorld(t)
			w.device.Encoding, w.device.Account.Scheme, w.server.Account.Scheme = first.device.Encoding, first.device.Account.Scheme, first.server.Account.Scheme
			small(w)
			c := &chaos{world: w, rand: rand.New(rand.NewPCG(seed, 1)), applied: map[string]int{}, faulty: seed%2 == 1}
			together := push()
			together.Members[0].Value = chr(largeHost)
			c.work = []dmserver.Work{together, replace("small", "./Set/Note", "s"), replace("large", "./Set/Note", strings.Repeat("n", 5000)),
				get("note", "./Set/Note"), get("list", ".?list=StructData")}
			for range 6 {
				c.try()
				c.check()
			}
			c.fair, c.store.Left = true, -1
			if !c.try() || c.applied["push"] == 0 || c.applied["large"] == 0 || c.applied["list"] == 0 {
				t.Errorf("seed %d: not healed: %v, %v", seed, c.applied, c.devErr)
			}
			c.check()
		}
	})
}
