package dsserver_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// TestBadMessagesAreRefused: an HTTP status and one sentence for the sender, a line in the log, nothing done, and the others are served.
func TestBadMessagesAreRefused(t *testing.T) {
	w := newWorld(t)
	var log bytes.Buffer
	srv := httptest.NewServer(dsserver.New(dsserver.Options{Store: w.store, Datastores: dsserver.DefaultDatastores(),
		Log: slog.New(slog.NewTextHandler(&log, nil))}))
	defer srv.Close()
	const xmlType, wbxmlType = "application/vnd.syncml+xml", "application/vnd.syncml+wbxml"
	deep := strings.Repeat("<a>", 100_000)
	for _, c := range []struct {
		name, method, typ, body string
		want                    int
	}{
		{"not a message", "GET", xmlType, "", http.StatusMethodNotAllowed},
		{"another content type", "POST", "text/html", "<SyncML/>", http.StatusUnsupportedMediaType},
		{"no content type", "POST", "", "<SyncML/>", http.StatusUnsupportedMediaType},
		{"empty", "POST", xmlType, "", http.StatusBadRequest},
		{"no XML", "POST", xmlType, "hello", http.StatusBadRequest},
		{"no header", "POST", xmlType, "<SyncML><SyncBody/></SyncML>", http.StatusBadRequest},
		{"cut off", "POST", xmlType, "<SyncML><SyncHdr><VerDTD>1.2</VerDTD>", http.StatusBadRequest},
		{"an entity bomb", "POST", xmlType, `<!DOCTYPE a [<!ENTITY b "x">]><SyncML>&b;</SyncML>`, http.StatusBadRequest},
		{"deep", "POST", xmlType, "<SyncML>" + deep, http.StatusBadRequest},
		{"no WBXML", "POST", wbxmlType, "\x7fELF", http.StatusBadRequest},
		{"a string table without end", "POST", wbxmlType, "\x02\xa4\x01\x6a\xff\xff\xff\xff\x0f", http.StatusBadRequest},
		{"too large", "POST", xmlType, strings.Repeat(" ", 5<<20), http.StatusRequestEntityTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			log.Reset()
			req, err := http.NewRequestWithContext(t.Context(), c.method, srv.URL, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", c.typ)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			if res.StatusCode != c.want || len(text) == 0 || err != nil {
				t.Errorf("HTTP %d %q, want %d; %v", res.StatusCode, text, c.want, err)
			}
			if !strings.Contains(log.String(), fmt.Sprint("status=", c.want)) {
				t.Errorf("the log says %q", log.String())
			}
		})
	}
	a := w.device("a")
	a.client.Transport, a.client.URL = &dsclient.HTTP{Client: srv.Client()}, srv.URL
	a.mem.put("1", card("u", "Ana"))
	if r := a.sync(); r.Stores[0].Sent != 1 {
		t.Errorf("afterwards: %+v", r)
	}
}

// elsewhere is a datastore that the server does not have.
type elsewhere struct{ *memDatastore }

func (elsewhere) Local() string  { return "./diary" }
func (elsewhere) Remote() string { return "diary" }

// TestAnUnknownDatastoreIs404 and leaves the others alone.
func TestAnUnknownDatastoreIs404(t *testing.T) {
	w := newWorld(t)
	a := w.device("a")
	a.mem.put("1", card("u", "Ana"))
	r, err := a.client.Run(t.Context(), dsclient.Request{Purpose: dsclient.Open, Stores: []dsclient.StoreRequest{
		{Store: elsewhere{&memDatastore{items: map[string]memItem{}, maps: map[string]string{}}}}, {Store: a.mem}}})
	if err != nil || r.Stores[0].Status != ds.StatusNotFound || r.Stores[1].Sent != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestTheServerOutlivesHostileMessages: every truncation of a real message, each with the rest of the exchange before it.
func TestTheServerOutlivesHostileMessages(t *testing.T) {
	w := newWorld(t)
	a := w.device("a")
	a.mem.put("1", card("u", "Ana"))
	tap := &tap{device: a}
	a.client.Transport = tap
	a.sync()
	for _, body := range tap.sent {
		for n := range body {
			w.server.Handle(t.Context(), body[:n], syncml.WBXML) //nolint:errcheck // whatever it says, it must go on
		}
	}
	b := w.device("b")
	b.sync()
	equalStores(t, a, b)
}

// tap keeps what a device sends.
type tap struct {
	*device
	sent [][]byte
}

func (p *tap) RoundTrip(ctx context.Context, url string, body []byte, enc syncml.Encoding) ([]byte, error) {
	p.sent = append(p.sent, bytes.Clone(body))
	return p.device.RoundTrip(ctx, url, body, enc)
}
