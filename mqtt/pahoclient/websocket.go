package pahoclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// webSocket is a connection over a web socket, in which packets do not keep to the frames (MQTT 3.1.1 section 6).
type webSocket struct {
	*websocket.Conn
	writing sync.Mutex
	frame   io.Reader // that is being read, nil between two; only the reader touches it
}

// webSocket opens one. Unlike the library's own way it ends with the attempt.
func (r *road) webSocket(c *tls.Config) (net.Conn, error) {
	d := websocket.Dialer{TLSClientConfig: c, HandshakeTimeout: connectTimeout, Subprotocols: []string{"mqtt"}, Proxy: http.ProxyFromEnvironment}
	if r.way != nil {
		d.Proxy = nil
		d.NetDialContext = func(ctx context.Context, _, addr string) (net.Conn, error) { return r.reach(ctx, addr) }
	}
	conn, res, err := d.DialContext(r.ctx, r.to.String(), nil)
	if err == nil {
		return &webSocket{Conn: conn}, nil
	}
	if res != nil {
		return nil, fmt.Errorf("%s opens no web socket: %s", r.to.Host, res.Status)
	}
	return nil, err
}

// Read implements net.Conn.
func (w *webSocket) Read(b []byte) (int, error) {
	for {
		if w.frame == nil {
			var err error
			if _, w.frame, err = w.NextReader(); err != nil {
				return 0, err
			}
		}
		n, err := w.frame.Read(b)
		if errors.Is(err, io.EOF) {
			w.frame, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Write implements net.Conn.
func (w *webSocket) Write(b []byte) (int, error) {
	w.writing.Lock()
	defer w.writing.Unlock()
	if err := w.WriteMessage(websocket.BinaryMessage, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// SetDeadline implements net.Conn.
func (w *webSocket) SetDeadline(t time.Time) error {
	return errors.Join(w.SetReadDeadline(t), w.SetWriteDeadline(t))
}
