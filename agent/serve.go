package agent

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/crash"
	"github.com/alwayson-sync/alwayson/agent/internal/daemon"
	"github.com/alwayson-sync/alwayson/agent/internal/page"
)

// serve answers the control API until the agent stops. The status page is a client of it like any other.
func (a *Agent) serve(ctx context.Context, l net.Listener) {
	a.page = page.New(page.Options{Agent: control.Dial(a.o.Socket), Idle: a.o.PageIdle, Used: a.traffic.Record})
	a.control = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: daemon.New(ctx, daemon.Parts{
		Version: a.o.Version, Device: a.o.DeviceID, Account: func() (user, server string) { o := a.options(); return o.User, o.Server },
		Engine: a.engine, Stores: a.stores, History: a.history, DevInf: a.serverDevInf, Push: a.push, Network: a.network, Login: a.login, LoginPush: a.loginPush, LookAgain: a.lookAgain, Missing: a.missing, Certificates: a.certificates, Settings: a.settings(), Tree: a.entries, Wants: a.wants, Former: a.former, Verifier: a.verifier, Expires: a.secretExpires,
		Page: a.page.Open, Messages: a.traffic.Messages, Examine: a.o.Examine, Crash: a.lastCrash(),
	})}
	a.wg.Go(func() { a.control.Serve(l) }) //nolint:errcheck // it ends when it is closed
}

// lastCrash is what an agent of this state folder said when it crashed.
func (a *Agent) lastCrash() *control.Crash {
	c, err := crash.Last(a.o.StateDir)
	if err != nil {
		a.o.Log.Warn("the reason of a crash cannot be read", "reason", err)
	}
	if c == nil {
		return nil
	}
	return &control.Crash{At: c.At, Reason: c.Reason, File: c.File}
}
