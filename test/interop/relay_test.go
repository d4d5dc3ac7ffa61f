package interop

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

// relay stands between the two sides, keeps every message, and can cut the connection. Addresses that the server puts into its answers
// are replaced by its own, which has as many digits, so that WBXML stays what it is.
type relay struct {
	*httptest.Server
	port, target string // of itself and of the server, on loopback
	path         string

	mu       sync.Mutex
	messages []recorded // guarded by mu
	requests int        // guarded by mu
	cut      func(n int) fault
}

// fault is what happens to one request.
type fault int

const (
	none          fault = iota
	cutRequest          // it does not reach the server
	cutResponse         // the server answers, and the answer is lost
	unreachableOn       // as cutRequest, from now on
)

// recorded is one message.
type recorded struct {
	body       []byte
	encoding   syncml.Encoding
	fromClient bool
}

func newRelay(t testing.TB, target, path string) *relay {
	l, err := net.Listen("tcp", "127.0.0.1:"+testenv.FreePort(t))
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	r := &relay{port: port, target: target, path: path, cut: func(int) fault { return none }}
	r.Server = &httptest.Server{Listener: l, Config: &http.Server{Handler: r}}
	r.Start()
	t.Cleanup(r.Close)
	return r
}

// url is where the client goes.
func (r *relay) url() string { return "http://127.0.0.1:" + r.port + r.path }

// faults decides for each following request, counted from 1.
func (r *relay) faults(cut func(n int) fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests, r.cut = 0, cut
}

func (r *relay) keep(body []byte, contentType string, fromClient bool) {
	enc, ok := syncml.ParseContentType(contentType)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, recorded{body, enc, fromClient})
}

// taken returns what was recorded so far.
func (r *relay) taken() []recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]recorded(nil), r.messages...)
}

func (r *relay) next() fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	f := r.cut(r.requests)
	if f == unreachableOn {
		r.cut = func(int) fault { return cutRequest }
		f = cutRequest
	}
	return f
}

// ServeHTTP passes one request on.
func (r *relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.keep(body, req.Header.Get("Content-Type"), true)
	f := r.next()
	if f == cutRequest {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	out, err := http.NewRequestWithContext(req.Context(), req.Method, "http://127.0.0.1:"+r.target+req.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	out.Header = req.Header.Clone()
	out.Header.Del("Connection")
	out.Header.Del("Accept-Encoding")
	res, err := http.DefaultTransport.RoundTrip(out)
	if err != nil || f == cutResponse {
		panic(http.ErrAbortHandler)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	answer = bytes.ReplaceAll(answer, []byte("127.0.0.1:"+r.target), []byte("127.0.0.1:"+r.port))
	r.keep(answer, res.Header.Get("Content-Type"), false)
	for k, v := range res.Header {
		if !strings.EqualFold(k, "Content-Length") {
			w.Header()[k] = v
		}
	}
	w.WriteHeader(res.StatusCode)
	w.Write(answer) //nolint:errcheck // who has gone needs no answer
}
