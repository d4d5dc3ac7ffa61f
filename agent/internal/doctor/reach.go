package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/clientcert"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/egress"
	"github.com/alwayson-sync/alwayson/agent/internal/power"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// way is how the agent's connections leave the device.
func way(c *config.Config) (*egress.Way, error) {
	return egress.New(egress.Options{Proxy: c.Network.Proxy, SecretFile: c.Network.ProxySecretFile, Allowed: c.Network.Allowed, Metered: c.Network.Metered,
		Withholds: func() string { return power.Policy(c.Power.Battery).Withholds(power.Now()) }})
}

// network looks at how data leaves the device.
func network(_ context.Context, p *Patient, found func(Finding)) {
	if p.Config == nil {
		return
	}
	w, err := way(p.Config)
	if err != nil {
		found(fault("network.proxy", err.Error(), "alwayson settings set network.proxy …"))
		return
	}
	here := w.Here()
	switch not := w.Withheld(); {
	case not != nil:
		found(warning(not.Setting, not.What, not.ByHand+", for once; or alwayson settings set "+not.Setting+" …"))
	case len(here.Ways) == 0:
		found(fault("network.interface", "this device is in no network; what changes meanwhile is sent when it is", "connect it"))
	default:
		found(ok("network.interface", "data leaves over "+here.String()))
	}
	if proxy := p.Config.Network.Proxy; proxy != "" && proxy != config.NoProxy {
		found(ok("network.proxy", "and through the proxy "+proxy))
	}
}

// peer is somebody whom the agent connects to.
type peer struct {
	id, name   string // server, the server
	addr       string // host:port
	host       string
	tls        bool
	readable   bool
	config     *tls.Config
	cert       *clientcert.Certificate // nil without
	way        *egress.Way
	connection net.Conn
}

// ports are those of addresses without one.
var ports = map[string]string{"http": "80", "https": "443", "ws": "80", "wss": "443", "mqtt": "1883", "mqtts": "8883"}

func (p *Patient) peer(id, name, address, caFile, cert, key string) (*peer, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	w, err := way(p.Config)
	if err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	q := &peer{id: id, name: name, host: u.Hostname(), addr: net.JoinHostPort(u.Hostname(), port), tls: config.Encrypted(u.Scheme), readable: config.Readable(address), way: w}
	roots, err := clientcert.Roots(caFile)
	if err != nil {
		return q, err
	}
	if cert != "" {
		q.cert, _ = clientcert.Open(cert, key) // what is wrong with it is a finding of its own
	}
	q.config = q.cert.Client(roots)
	return q, nil
}

// connect connects, with TLS if that is wanted, and tells what came of it; not ok if there is no connection.
func (q *peer) connect(ctx context.Context, found func(Finding)) (connected bool) {
	start := time.Now()
	conn, err := q.way.Dial(ctx, q.addr, q.tls)
	if err != nil {
		found(fault(q.id+".reach", fmt.Sprintf("%s at %s cannot be reached: %v", q.name, q.addr, err), unreachable(err)).since(start))
		return false
	}
	found(ok(q.id+".reach", fmt.Sprintf("%s at %s can be reached", q.name, q.addr)).since(start))
	q.connection = conn
	if q.readable {
		found(warning(q.id+".tls", fmt.Sprintf("the way to %s is not encrypted: everybody on it can read and change what is synchronized", q.name), "use https and mqtts"))
	}
	return !q.tls || q.shake(ctx, found)
}

// unreachable is what can be done if nobody answers.
func unreachable(err error) string {
	var proxy *egress.Error
	var dns *net.DNSError
	switch {
	case errors.As(err, &proxy) && proxy.Remedy != "":
		return proxy.Remedy
	case errors.As(err, &dns):
		return "check the address in the configuration, and that this network has a name server"
	}
	return "nothing if it is a passing trouble: it is tried again by itself; else check the address, and what stands between"
}

// shake makes TLS of the connection.
func (q *peer) shake(ctx context.Context, found func(Finding)) bool {
	start := time.Now()
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if q.config != nil {
		c = q.config.Clone()
	}
	c.ServerName = q.host
	t := tls.Client(q.connection, c)
	if err := t.HandshakeContext(ctx); err != nil {
		q.connection.Close()
		what, remedy := q.untrusted(err)
		found(fault(q.id+".tls", what, remedy).since(start))
		return false
	}
	q.connection = t
	state := t.ConnectionState()
	until, version := state.PeerCertificates[0].NotAfter, tls.VersionName(state.Version)
	if time.Until(until) < soon {
		found(warning(q.id+".tls", fmt.Sprintf("the certificate of %s expires on %s; after that nothing is synchronized", q.name, until.Format(time.DateOnly)),
			"ask its administrator to renew it").since(start))
		return true
	}
	found(ok(q.id+".tls", fmt.Sprintf("%s, certificate valid until %s", version, until.Format(time.DateOnly))).since(start))
	return true
}

// untrusted tells what a handshake that failed means, and what can be done about it.
func (q *peer) untrusted(err error) (what, remedy string) {
	var plain tls.RecordHeaderError
	if errors.As(err, &plain) {
		return fmt.Sprintf("%s at %s does not speak TLS; nothing is sent to it", q.name, q.addr),
			"check the port; if it has no TLS because the network is encrypted itself, write http:// or mqtt:// before the address"
	}
	return fmt.Sprintf("%s is not trusted: %v; nothing is sent to it", q.name, egress.Impostor(err)), q.trust(err)
}

// trust is what can be done about a certificate that is not good.
func (q *peer) trust(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return "name the file of its certificate authority as ca_file in the configuration, if you know that it is the right one"
	case errors.As(err, &name):
		return egress.SignIn + "; if there is no such page, use the name in the certificate in the configuration"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "check the clock of this device; else ask its administrator to renew the certificate"
	}
	return clientcert.Remedy(q.cert.File())
}

// server looks at the way to the server, and who answers there. It shows no credentials: an attempt is not spent.
func server(ctx context.Context, p *Patient, found func(Finding)) {
	if p.Config == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	a := p.Config.Account
	q, err := p.peer("server", "the server", a.Server, a.CAFile, a.CertFile, a.KeyFile)
	if err != nil {
		found(fault("server.tls", err.Error(), "edit "+p.ConfigPath))
		return
	}
	if q.connect(ctx, found) {
		defer q.connection.Close()
		greet(ctx, p, q, found)
	}
	if p.Agent != nil && p.Agent.SecretExpires != nil && p.Agent.SecretExpires.Sub(p.Now) < soon {
		found(warning("server.secret", "the secret expires on "+p.Agent.SecretExpires.Format(time.DateOnly), "alwayson login"))
	}
}

// greet asks the server for its challenge, as a device that shows no credentials.
func greet(ctx context.Context, p *Patient, q *peer, found func(Finding)) {
	start := time.Now()
	enc := p.Config.Account.Encoding
	body, err := syncml.Encode(&syncml.Message{Header: syncml.Header{VerDTD: "1.2", VerProto: "SyncML/1.2", SessionID: strconv.FormatInt(p.Now.Unix(), 10), MsgID: "1",
		Target: syncml.Location{URI: p.Config.Account.Server}, Source: syncml.Location{URI: p.Config.Device}}, Final: true}, enc)
	if err != nil {
		found(fault("server.answer", err.Error(), ""))
		return
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Config.Account.Server, bytes.NewReader(body))
	if err != nil {
		found(fault("server.answer", err.Error(), ""))
		return
	}
	req.Header.Set("Content-Type", enc.ContentType())
	once := func(context.Context, string, string) (net.Conn, error) { return q.connection, nil }
	client := &http.Client{Transport: &http.Transport{DialContext: once, DialTLSContext: once, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		found(fault("server.answer", "the server does not answer: "+err.Error(), unreachable(err)).since(start))
		return
	}
	defer res.Body.Close()
	found(answered(res).since(start))
	if at, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		found(clock(time.Since(at)))
	}
}

// answered judges who answers. An answer that is no SyncML is not of a Data Sync Server.
func answered(res *http.Response) Finding {
	const id = "server.answer"
	body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err := egress.Intercepted(res); err != nil {
		return fault(id, err.Error(), egress.SignIn)
	}
	enc, known := syncml.ParseContentType(res.Header.Get("Content-Type"))
	if res.StatusCode == http.StatusServiceUnavailable {
		return warning(id, "the server has more to do than it can", "nothing: it is tried again by itself")
	}
	if res.StatusCode != http.StatusOK || !known {
		return fault(id, fmt.Sprintf("at this address is no Data Sync Server: it answers HTTP %s, %q", res.Status, res.Header.Get("Content-Type")), "check the path of account.server")
	}
	m, err := syncml.Decode(body, enc)
	if err != nil {
		return fault(id, "the server's answer cannot be understood: "+err.Error(), "check account.server, or account.encoding")
	}
	return ok(id, "a Data Sync Server answers, and speaks "+m.Header.VerProto)
}

// clock judges how far the clocks are apart.
func clock(apart time.Duration) Finding {
	text := fmt.Sprintf("the clocks of this device and of the server are %s apart", apart.Abs().Round(time.Second))
	switch {
	case apart.Abs() > 24*time.Hour:
		return fault("time.clock", text+"; certificates may seem invalid, and the last edit the first", "set the clock: timedatectl set-ntp true")
	case apart.Abs() > time.Minute:
		return warning("time.clock", text, "set the clock: timedatectl set-ntp true")
	}
	return ok("time.clock", text)
}

// broker looks at the way to the broker, and at what the agent says of it. Each address counts: one that works is enough.
func broker(ctx context.Context, p *Patient, found func(Finding)) {
	if p.Config == nil {
		return
	}
	c := p.Config.Push
	if c.Broker == "" {
		found(warning("broker.none", "there is no broker: changes on the server are found by asking, every "+time.Duration(p.Config.Session.Poll).String(), "set push.broker, if the server has one"))
		return
	}
	if s := p.Agent; s != nil {
		found(roadOf(s.Push.State, s.Push.Reason, s.Push.Advice))
	}
	for i, address := range append([]string{c.Broker}, c.Rungs()...) {
		id, name := "broker", "the broker"
		if i > 0 {
			id, name = "broker.fallback", "a further address of the broker"
		}
		p.rung(ctx, id, name, address, func(f Finding) {
			if i > 0 && f.State == Fault {
				f.State = Warning
			}
			found(f)
		})
	}
}

func (p *Patient) rung(ctx context.Context, id, name, address string, found func(Finding)) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	c := p.Config.Push
	q, err := p.peer(id, name, address, c.CAFile, c.CertFile, c.KeyFile)
	if err != nil {
		found(fault(id+".tls", err.Error(), "edit "+p.ConfigPath))
		return
	}
	if q.connect(ctx, found) {
		q.connection.Close()
	}
}

func roadOf(state, reason, advice string) Finding {
	switch {
	case state == "connected":
		return ok("broker.agent", "the agent is connected to the broker")
	case advice != "":
		return fault("broker.agent", "the broker has refused the agent: "+reason, advice)
	case reason != "":
		return warning("broker.agent", "the agent is not connected to the broker: "+reason, "nothing: it is tried again by itself, and the server is asked meanwhile")
	}
	return warning("broker.agent", "the agent is "+state+" to the broker", "")
}
