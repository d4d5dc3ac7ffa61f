// Command alwayson-server is a Data Sync Server and the administrator's tool for it.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command().ExecuteContext(ctx)
	interrupted := ctx.Err() != nil
	stop()
	if interrupted && errors.Is(err, context.Canceled) {
		os.Exit(130) // as a shell counts it: the administrator has ended the command
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "alwayson-server:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{Use: "alwayson-server", Short: "A Data Sync Server (OMA DS) for alwayson devices", Version: version(),
		SilenceUsage: true, SilenceErrors: true}
	a := &admin{}
	root.PersistentFlags().StringVar(&a.data, "data", "/var/lib/alwayson-server", "folder of the database")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "write results as JSON")
	root.AddCommand(a.run(), a.user(), a.device(), a.group(), a.session(), a.filter(), a.settings(), a.hold(), a.history(), a.restore(), a.why())
	return root
}

// release is set by the linker (packaging/build.sh).
var release string

func version() string {
	if release != "" {
		return release
	}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "(devel)"
}

// admin is what all commands share.
type admin struct {
	data string
	json bool
}

func (a *admin) run() *cobra.Command {
	var o site.Options
	var c certificates
	var level, brokerSecret string
	var plain bool
	cmd := &cobra.Command{
		Use: "run", Short: "Run the server in the foreground, as a service manager does", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.Log, err = newLog(cmd.ErrOrStderr(), level); err != nil {
				return err
			}
			if o.TLS, err = c.config(o.Listen, plain); err != nil {
				return err
			}
			if brokerSecret != "" {
				if o.BrokerPassword, err = firstLine(brokerSecret); err != nil {
					return err
				}
			}
			o.DataDir, o.Version = a.data, version()
			return serve(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:8765", "address for devices")
	f.StringVar(&c.cert, "tls-cert", "", "certificate (PEM), for devices and for its own broker")
	f.StringVar(&c.key, "tls-key", "", "its key (PEM)")
	f.StringVar(&c.clientCA, "client-ca", "", "authorities (PEM) one of which must have signed the certificate of each device")
	f.BoolVar(&plain, "insecure-http", false, "listen beyond this machine without TLS, e.g. behind a proxy that has it")
	f.StringVar(&o.Broker, "broker", "", "URL of an MQTT broker; without one the server runs its own")
	f.StringVar(&o.BrokerUser, "broker-user", "", "user at that broker")
	f.StringVar(&brokerSecret, "broker-secret-file", "", "file with its password")
	f.StringVar(&o.BrokerListen, "broker-listen", "127.0.0.1:1883", "address of its own broker; with --tls-cert it is mqtts")
	f.StringVar(&o.Prefix, "broker-prefix", "alwayson", "first level of the topics")
	f.StringVar(&o.ServerID, "id", "alwayson-server", "how the server names itself to devices")
	f.DurationVar(&o.MaxAge, "secret-max-age", 0, "how long the secret of a device is good, e.g. 2160h; its user is told a week ahead; 0 is for ever")
	f.DurationVar(&o.Lease, "lease", 30*24*time.Hour, "how long a session lives without a sign of its device")
	f.StringVar(&level, "log-level", "info", "debug, info, warn or error")
	return cmd
}

func serve(ctx context.Context, o site.Options) error {
	s, err := site.Start(ctx, o)
	if err != nil {
		return err
	}
	o.Log.Info("server runs", "version", o.Version, "devices", s.URL(), "broker", s.BrokerURL(), "data", o.DataDir)
	<-ctx.Done()
	o.Log.Info("server stops; sessions stay open")
	return s.Close()
}

// certificates are the files of TLS.
type certificates struct{ cert, key, clientCA string }

// config refuses to send secrets and data in the clear over a network.
func (c *certificates) config(listen string, plain bool) (*tls.Config, error) {
	if c.cert != "" || c.key != "" {
		pair, err := tls.LoadX509KeyPair(c.cert, c.key)
		if err != nil {
			return nil, fmt.Errorf("cannot use the certificate: %w", err)
		}
		return c.withClients(&tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	}
	if c.clientCA != "" {
		return nil, errors.New("--client-ca is of use with TLS only: give --tls-cert and --tls-key, too")
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %q: %w", listen, err)
	}
	if ip := net.ParseIP(host); !plain && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("%s can be reached over the network: give --tls-cert and --tls-key, or --insecure-http if something in front of it does TLS", listen)
	}
	return nil, nil
}

// withClients requires and verifies the certificates of devices, if there is somebody who signs them (A10).
func (c *certificates) withClients(conf *tls.Config) (*tls.Config, error) {
	if c.clientCA == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(c.clientCA)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authorities of devices: %w", err)
	}
	conf.ClientCAs, conf.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !conf.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate (PEM)", c.clientCA)
	}
	return conf, nil
}

func newLog(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, errors.New("--log-level is debug, info, warn or error")
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l})), nil
}

// show writes a result as JSON, or as text.
func (a *admin) show(cmd *cobra.Command, v any, text func(io.Writer)) error {
	if !a.json {
		text(cmd.OutOrStdout())
		return nil
	}
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetIndent("", "  ")
	return e.Encode(v)
}
