package cp

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The applications that are for this program.
const (
	DS = "w5"
	DM = "w7"
)

// Application is an account at a server.
type Application struct {
	AppID    string
	ServerID string // PROVIDER-ID
	Name     string
	Addr     string // with the port, if there is one
	AddrType string // "" is URI
	// ConRefs name the ways to the network that shall be used, of TO-PROXY and TO-NAPID.
	ConRefs   []string
	Auth      []Auth
	Resources []Resource
}

// Auth is how one side proves who it is.
type Auth struct {
	Level string // CLCRED: the device, SRVCRED: the server; or as it is written there
	Type  string // e.g. DIGEST; of several the one that we like best
	Name  string
	// Secret and Data (a nonce) are never shown.
	Secret, Data string
}

// Resource is a datastore of the server.
type Resource struct {
	Name, URI string
	Accept    []string // media types, without parameters
}

// Applications are the accounts of an application in a document, in order.
func Applications(doc *Characteristic, appID string) (out []Application) {
	for _, c := range doc.All("APPLICATION") {
		if c.Get("APPID") == appID {
			out = append(out, application(c))
		}
	}
	return out
}

// Device is the name that a document gives the device, "" if it does not.
func Device(doc *Characteristic) string { return doc.first("CLIENTIDENTITY").Get("CLIENT-ID") }

func application(c *Characteristic) Application {
	a := Application{AppID: c.Get("APPID"), ServerID: c.Get("PROVIDER-ID"), Name: c.Get("NAME")}
	for _, p := range c.Parms {
		if p.Name == "TO-PROXY" || p.Name == "TO-NAPID" {
			a.ConRefs = append(a.ConRefs, strings.TrimSpace(p.Value))
		}
	}
	at := c.first("APPADDR")
	a.Addr, a.AddrType = at.Get("ADDR"), at.Get("ADDRTYPE")
	if a.Addr == "" {
		a.Addr = c.Get("ADDR") // the short form
	}
	a.Addr = withPort(a.Addr, at.first("PORT").Get("PORTNBR"))
	for _, g := range c.All("APPAUTH") {
		a.Auth = append(a.Auth, auth(g))
	}
	for _, g := range c.All("RESOURCE") {
		a.Resources = append(a.Resources, Resource{Name: g.Get("NAME"), URI: g.Get("URI"), Accept: accept(g.Get("AACCEPT"))})
	}
	return a
}

// withPort adds a port to an address that has none.
func withPort(addr, port string) string {
	if port == "" {
		return addr
	}
	u, err := url.Parse(addr)
	switch {
	case err != nil || u.Host == "":
		if net.ParseIP(addr) != nil || !strings.ContainsAny(addr, ":/") {
			return net.JoinHostPort(addr, port)
		}
		return addr
	case u.Port() != "":
		return addr
	}
	u.Host = net.JoinHostPort(u.Hostname(), port)
	return u.String()
}

// levels are the ones of the tree for those of the documents (protocol.md H.7). One that is not said is the device's at the server.
var levels = map[string]string{"APPSRV": "CLCRED", "CLIENT": "SRVCRED", "": "CLCRED"}

func auth(c *Characteristic) Auth {
	a := Auth{Level: c.Get("AAUTHLEVEL"), Name: c.Get("AAUTHNAME"), Secret: c.Get("AAUTHSECRET"), Data: c.Get("AAUTHDATA")}
	if level, ok := levels[a.Level]; ok {
		a.Level = level
	}
	types := list(c.Get("AAUTHTYPE"))
	for _, best := range []string{"DIGEST", "BASIC"} {
		if slices.Contains(types, best) {
			a.Type = best
			return a
		}
	}
	a.Type = strings.Join(types, ",")
	return a
}

func list(text string) (out []string) {
	for _, s := range strings.Split(text, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func accept(text string) []string {
	out := list(text)
	for i := range out {
		out[i], _, _ = strings.Cut(out[i], ";")
		out[i] = strings.ToLower(strings.TrimSpace(out[i]))
	}
	return out
}

// Credential is what the device shows the server; ok is false if the document has none.
func (a *Application) Credential() (c Auth, ok bool) {
	i := slices.IndexFunc(a.Auth, func(c Auth) bool { return c.Level == "CLCRED" })
	if i < 0 {
		return Auth{}, false
	}
	return a.Auth[i], true
}

// Nodes are the values of the account in the management tree, by address below the account's own node; secrets are not among them (protocol.md H.7).
func (a *Application) Nodes() map[string]string {
	out := map[string]string{"AppID": a.AppID}
	put := func(node, value string) {
		if value != "" {
			out[node] = value
		}
	}
	put("ServerID", a.ServerID)
	put("Name", a.Name)
	put("AppAddr/1/Addr", a.Addr)
	put("AppAddr/1/AddrType", a.AddrType)
	for i, ref := range a.ConRefs {
		put("ToConRef/"+strconv.Itoa(i+1)+"/ConRef", ref)
	}
	for i, c := range a.Auth {
		at := "AppAuth/" + strconv.Itoa(i+1)
		put(at+"/AAuthLevel", c.Level)
		put(at+"/AAuthType", c.Type)
		put(at+"/AAuthName", c.Name)
	}
	return out
}
