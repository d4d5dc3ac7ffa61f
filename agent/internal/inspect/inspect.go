// Package inspect keeps the last messages of the synchronization while somebody looks at them, readable and without secrets.
package inspect

import (
	"context"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// kept is how many messages are kept: some exchanges, on one page.
const kept = 20

// Ring holds the last messages while it records, and none otherwise. The zero value does not record.
type Ring struct {
	mu   sync.Mutex
	on   bool              // guarded by mu
	list []control.Message // guarded by mu
}

// Record begins and ends to keep messages. With the end all are forgotten.
func (r *Ring) Record(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on, r.list = on, nil
}

// Messages are those that are kept, oldest first.
func (r *Ring) Messages() []control.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]control.Message{}, r.list...)
}

func (r *Ring) recording() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.on
}

// add keeps a message. It is made readable at once, so that no secret is kept.
func (r *Ring) add(sent bool, body []byte) {
	if !r.recording() || len(body) == 0 {
		return
	}
	m := control.Message{At: time.Now(), Sent: sent, Size: len(body), Text: Readable(body)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.on {
		return
	}
	r.list = append(r.list, m)
	r.list = append([]control.Message(nil), r.list[max(0, len(r.list)-kept):]...)
}

// Tap is a transport that shows the ring what it carries.
func (r *Ring) Tap(t *dsclient.HTTP) *Tap { return &Tap{HTTP: t, ring: r} }

// Tap is described at Ring.Tap.
type Tap struct {
	*dsclient.HTTP
	ring *Ring
}

// RoundTrip implements dsclient.Transport.
func (t *Tap) RoundTrip(ctx context.Context, url string, body []byte, enc syncml.Encoding) ([]byte, error) {
	t.ring.add(true, body)
	answer, err := t.HTTP.RoundTrip(ctx, url, body, enc)
	t.ring.add(false, answer)
	return answer, err
}
