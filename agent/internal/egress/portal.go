package egress

import (
	"crypto/x509"
	"errors"
	"mime"
	"net/http"
)

// Portal says that the network answers in place of the server, since it wants the user to sign in first. Nothing that it says is of the server.
type Portal struct{ Does string }

func (e *Portal) Error() string {
	return "this network wants you to sign in: it answers in place of the server, and " + e.Does
}

// SignIn is what the user can do about a Portal.
const SignIn = "open any page in a browser, and sign in to the network; the rest happens by itself"

// Intercepted is the *Portal that answers a request in place of the server, nil if it is the server, or may be. Over https it is: a portal has no
// certificate for its name.
func Intercepted(res *http.Response) error {
	if res.StatusCode == http.StatusNetworkAuthenticationRequired {
		return &Portal{Does: "says so itself"}
	}
	if res.Request.URL.Scheme == "https" {
		return nil
	}
	if to, err := res.Location(); err == nil && to.Hostname() != res.Request.URL.Hostname() {
		return &Portal{Does: "wants you to go to " + to.Scheme + "://" + to.Host}
	}
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); res.StatusCode == http.StatusOK && kind == "text/html" {
		return &Portal{Does: "shows a page"}
	}
	return nil
}

// Impostor is the *Portal whose certificate was shown in a handshake in place of the server's, err if that went wrong for another reason.
func Impostor(err error) error {
	var name x509.HostnameError
	if !errors.As(err, &name) || name.Certificate == nil {
		return err
	}
	shown := name.Certificate.Subject.CommonName
	if len(name.Certificate.DNSNames) > 0 {
		shown = name.Certificate.DNSNames[0]
	}
	return &Portal{Does: "has a certificate for " + shown + " instead of " + name.Host}
}
