package page

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// patience bounds what a browser takes for one thing on a busy machine.
const patience = 60 * time.Second

// tab is a page of a real browser, steered by its DevTools protocol.
type tab struct {
	t       *testing.T
	conn    *websocket.Conn
	session string
	n       int
}

// newTab starts a browser with an empty profile, of somebody who speaks English. It ends with the test.
func newTab(t *testing.T) *tab {
	t.Helper()
	return newTabIn(t, "en-US,en")
}

// newTabIn is newTab of somebody who speaks these languages.
func newTabIn(t *testing.T, languages string) *tab {
	t.Helper()
	cmd := exec.Command(pimtest.Program(t, "chromium", "chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--accept-lang="+languages,
		"--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0", "--user-data-dir="+filepath.Join(t.TempDir(), "profile"), "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "DBUS_SESSION_BUS_ADDRESS=disabled:")
	errs, err := cmd.StderrPipe()
	must(t, err)
	must(t, cmd.Start())
	address := make(chan string, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(errs); lines.Scan(); {
			if at, ok := strings.CutPrefix(lines.Text(), "DevTools listening on "); ok {
				address <- at
			}
		}
	}()
	b := &tab{t: t}
	t.Cleanup(func() { b.quit(cmd, ended) })
	select {
	case at := <-address:
		b.attach(at)
	case <-time.After(patience):
		t.Fatal("the browser does not start")
	}
	return b
}

// quit lets the browser end all its processes, or ends it.
func (b *tab) quit(cmd *exec.Cmd, ended <-chan struct{}) {
	if b.conn == nil || b.conn.WriteJSON(map[string]any{"id": 0, "method": "Browser.close"}) != nil {
		cmd.Process.Kill() //nolint:errcheck // it may have ended
	}
	kill := time.AfterFunc(patience, func() { cmd.Process.Kill() }) //nolint:errcheck // likewise
	<-ended
	cmd.Wait() //nolint:errcheck // how it ends is not what is tested
	kill.Stop()
	if b.conn != nil {
		b.conn.Close()
	}
}

func (b *tab) attach(address string) {
	b.t.Helper()
	conn, _, err := websocket.DefaultDialer.DialContext(b.t.Context(), address, nil)
	must(b.t, err)
	b.conn = conn
	var made struct{ TargetID, SessionID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &made)
	b.call("Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &made)
	b.session = made.SessionID
	b.call("Page.enable", nil, nil)
	b.call("Emulation.setScrollbarsHidden", map[string]any{"hidden": true}, nil) // pictures are taken without them
}

// call is one command of the protocol, with its answer.
func (b *tab) call(method string, params map[string]any, out any) {
	b.t.Helper()
	b.n++
	must(b.t, b.conn.WriteJSON(struct {
		ID      int            `json:"id"`
		Method  string         `json:"method"`
		Params  map[string]any `json:"params,omitempty"`
		Session string         `json:"sessionId,omitempty"`
	}{b.n, method, params, b.session}))
	must(b.t, b.conn.SetReadDeadline(time.Now().Add(patience)))
	for {
		var m struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		must(b.t, b.conn.ReadJSON(&m))
		if m.ID != b.n {
			continue // an event
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if out != nil {
			must(b.t, json.Unmarshal(m.Result, out))
		}
		return
	}
}

// open loads an address and returns when everything is there.
func (b *tab) open(url string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	b.until("loaded", `document.readyState === "complete" && location.protocol === "http:"`)
}

// eval is the value of an expression in the page.
func (b *tab) eval(expression string) (value any) {
	b.t.Helper()
	var out struct {
		Result           struct{ Value any }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &out)
	if e := out.ExceptionDetails; e != nil {
		b.t.Fatalf("%s: %s %s", expression, e.Text, e.Exception.Description)
	}
	return out.Result.Value
}

// until waits for a condition, which the browser looks at in each of its frames.
func (b *tab) until(what, condition string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		// A page that is left takes its promises along, so each look is a short one.
		if b.try(`new Promise(done => { let n = 0; const look = () => { try { if (` + condition + `) return done(true) } catch {}; if (++n > 20) return done(false); setTimeout(look, 25) }; look() })`) {
			return
		}
	}
	b.t.Fatalf("not %s: %s\n%v", what, condition, b.eval("document.body.innerText"))
}

// try is eval that takes a page that is left in the meantime for a no.
func (b *tab) try(expression string) bool {
	b.t.Helper()
	var out struct{ Result struct{ Value any } }
	b.n++
	must(b.t, b.conn.WriteJSON(map[string]any{"id": b.n, "method": "Runtime.evaluate", "sessionId": b.session,
		"params": map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}}))
	must(b.t, b.conn.SetReadDeadline(time.Now().Add(patience)))
	for {
		var m struct {
			ID     int
			Result json.RawMessage
		}
		must(b.t, b.conn.ReadJSON(&m))
		if m.ID == b.n {
			return json.Unmarshal(m.Result, &out) == nil && out.Result.Value == true
		}
	}
}

// click clicks as a person does: on the middle of the element, wherever it is.
func (b *tab) click(selector string) {
	b.t.Helper()
	at := b.eval(fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()`, selector)).([]any)
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		b.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1}, nil)
	}
}

// press presses a key; text is what it types.
func (b *tab) press(key string, code int, text string) {
	b.t.Helper()
	for _, kind := range []string{"keyDown", "keyUp"} {
		b.call("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text}, nil)
	}
}

// size makes the window so wide, in light or dark.
func (b *tab) size(width int, scheme string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

var pictures atomic.Int32

// picture keeps what the whole page looks like. PAGE_PICTURES is where, for who wants to look at it.
func (b *tab) picture(name string) {
	b.t.Helper()
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	must(b.t, err)
	dir := os.Getenv("PAGE_PICTURES")
	if dir == "" {
		dir = b.t.TempDir()
	}
	must(b.t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d-%s.png", pictures.Add(1), name)), png, 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
