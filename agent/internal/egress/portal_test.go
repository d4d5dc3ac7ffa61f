package egress_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/egress"
)

// TestWhoAnswers: what is said by a portal is told from what the server says, or a proxy before it.
func TestWhoAnswers(t *testing.T) {
	page := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	to := func(address string) http.Header { return http.Header{"Location": {address}} }
	for _, c := range []struct {
		name, url string
		code      int
		header    http.Header
		want      string // "" if it is no portal
	}{
		{"a redirect elsewhere", "http://sync.example/ds", 302, to("http://portal.example/login?x"), "go to http://portal.example"},
		{"and one that keeps the body", "http://sync.example/ds", 307, to("https://10.0.0.1:8443/"), "go to https://10.0.0.1:8443"},
		{"a redirect to the same host", "http://sync.example/ds", 301, to("https://sync.example/ds"), ""},
		{"a redirect within", "http://sync.example/ds", 302, to("/login"), ""},
		{"a redirect of the server itself", "https://sync.example/ds", 302, to("https://www.sync.example/ds"), ""},
		{"a page", "http://sync.example/ds", 200, page, "shows a page"},
		{"a page of the server itself", "https://sync.example/ds", 200, page, ""},
		{"a page that is not there", "http://sync.example/ds", 404, page, ""},
		{"a proxy whose server is gone", "http://sync.example/ds", 502, page, ""},
		{"an answer", "http://sync.example/ds", 200, http.Header{"Content-Type": {"application/vnd.syncml+wbxml"}}, ""},
		{"one who says what it is", "https://sync.example/ds", 511, page, "says so itself"},
	} {
		res := &http.Response{StatusCode: c.code, Header: c.header, Request: httptest.NewRequest(http.MethodPost, c.url, nil)}
		err := egress.Intercepted(res)
		var portal *egress.Portal
		if errors.As(err, &portal) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestWhoShakesHands(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{x509.HostnameError{Host: "sync.example", Certificate: &x509.Certificate{DNSNames: []string{"portal.example"}}}, "for portal.example instead of sync.example"},
		{x509.HostnameError{Host: "sync.example", Certificate: &x509.Certificate{Subject: pkix.Name{CommonName: "old.example"}}}, "for old.example"},
	} {
		var portal *egress.Portal
		if err := egress.Impostor(c.err); !errors.As(err, &portal) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.err, err)
		}
	}
	if err := egress.Impostor(x509.UnknownAuthorityError{}); err != (x509.UnknownAuthorityError{}) {
		t.Error(err)
	}
}
