package clientcert

import (
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsclient"
)

// refusing are the alerts by which the other side refuses a certificate (RFC 8446 section 6.2), and what each says of ours.
var refusing = map[tls.AlertError]string{
	42:  "it cannot verify it",
	43:  "it is of a kind that it does not take",
	44:  "it has been revoked",
	45:  "it counts as expired there; is the clock of this device right?",
	46:  "it does not say why",
	48:  "it does not know the authority that signed it",
	49:  "this device has no access",
	116: "it requires one, and none was sent",
}

// refusal is what an alert of the other side says of our certificate, "" if err is no such alert.
func refusal(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return ""
	}
	for alert, says := range refusing {
		if op.Err.Error() == alert.Error() { // the type of an alert over TCP is not exported
			return says
		}
	}
	return ""
}

// Explain makes a *dsclient.CertificateError of an error by which who refuses the certificate, and returns any other as it is.
func (c *Certificate) Explain(who string, err error) error {
	says := refusal(err)
	if says == "" {
		return err
	}
	what := c.Problem(time.Now())
	switch {
	case c == nil:
		what = who + " requires a client certificate, and this device has none"
	case what == "":
		what = who + " does not accept the client certificate: " + says
	}
	return &dsclient.CertificateError{What: what, Remedy: Remedy(c.File())}
}

// Remedy is what the user can do about a certificate that is not accepted; file is where it lies, "" if there is none.
func Remedy(file string) string {
	if file == "" {
		return "ask your administrator for a certificate, and name it in the configuration (cert_file and key_file)"
	}
	return "ask your administrator for a new certificate and replace " + file + ", it is read again by itself"
}
