package pahoclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
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

// dialWebsocket opens one. Unlike the library's own way it ends with ctx, and goes where dial leads.
func dialWebsocket(ctx context.Context, to *url.URL, c *tls.Config, dial func(ctx context.Context, addr string) (net.Conn, error)) (net.Conn, error) {
	d := websocket.Dialer{TLSClientConfig: c, HandshakeTimeout: connectTimeout, Subprotocols: []string{"mqtt"},
		NetDialContext: func(ctx context.Context, _, addr string) (net.Conn, error) { return dial(ctx, addr) }}
	conn, res, err := d.DialContext(ctx, to.String(), nil)
	if err == nil {
		return &webSocket{Conn: conn}, nil
	}
	if res != nil {
		return nil, fmt.Errorf("%s opens no web socket: %s", to.Host, res.Status)
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
