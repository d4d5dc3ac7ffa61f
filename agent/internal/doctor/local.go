package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/clientcert"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
)

// configuration looks at the file, the secrets and the certificates that it names.
func configuration(_ context.Context, p *Patient, found func(Finding)) {
	if p.ConfigErr != nil {
		found(fault("config.file", p.ConfigErr.Error(), remedyOfFile(p)))
		return
	}
	found(ok("config.file", p.ConfigPath+" is in order"))
	found(unwritable(p.ConfigPath))
	if file := p.Config.Account.SecretFile; file != "" {
		found(secret("config.secret", "the secret of the account", file, "alwayson login"))
	}
	if at, own := creds.OfPush(p.Config); own && at.File != "" {
		found(secret("config.push_secret", "the secret for the broker", at.File, "alwayson login --push"))
	}
	certificates(p, found)
	if n := locked(p.Settings); len(n) > 0 {
		found(ok("config.locked", "locked by the administrator: "+strings.Join(n, ", ")))
	}
}

func remedyOfFile(p *Patient) string {
	if _, err := os.Stat(p.ConfigPath); errors.Is(err, os.ErrNotExist) {
		return "alwayson setup"
	}
	return "edit " + p.ConfigPath
}

// unwritable warns of a configuration that others can change: it says to which server the secret goes.
func unwritable(path string) Finding {
	fi, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" || fi.Mode().Perm()&0o022 == 0 {
		return ok("config.mode", "nobody else can change it")
	}
	f := warning("config.mode", fmt.Sprintf("others can change %s (mode %04o), and with it where your data goes", path, fi.Mode().Perm()), "chmod go-w "+path)
	f.Repair = func() error { return os.Chmod(path, fi.Mode().Perm()&^0o022) }
	return f
}

func secret(id, what, path, login string) Finding {
	_, err := config.ReadSecret(path)
	if err == nil {
		return ok(id, what+" is there, for nobody else to read")
	}
	fi, statErr := os.Stat(path)
	if statErr != nil {
		return fault(id, what+" is not there: "+err.Error(), login)
	}
	f := fault(id, err.Error(), "chmod 600 "+path)
	f.Repair = func() error { return os.Chmod(path, fi.Mode().Perm()&0o700) }
	return f
}

// soon is how long ahead a certificate that will expire is warned of.
const soon = 30 * 24 * time.Hour

func certificates(p *Patient, found func(Finding)) {
	c := p.Config
	pairs := map[string][2]string{}
	pairs["config.certificate"] = [2]string{c.Account.CertFile, c.Account.KeyFile}
	if c.Push.Broker != "" && c.Push.CertFile != c.Account.CertFile {
		pairs["config.push_certificate"] = [2]string{c.Push.CertFile, c.Push.KeyFile}
	}
	for id, files := range pairs {
		if files[0] == "" {
			continue
		}
		cert, err := clientcert.Open(files[0], files[1])
		switch {
		case err != nil:
			found(fault(id, err.Error(), "ask your administrator for them, and put them there"))
		case cert.Problem(p.Now) != "":
			found(fault(id, cert.File()+": "+cert.Problem(p.Now), clientcert.Remedy(cert.File())))
		case cert.Expires().Sub(p.Now) < soon:
			found(warning(id, fmt.Sprintf("the certificate of this device expires on %s", cert.Expires().Format(time.DateOnly)), clientcert.Remedy(cert.File())))
		default:
			found(ok(id, "the certificate of this device is valid until "+cert.Expires().Format(time.DateOnly)))
		}
	}
}

func locked(list []control.Setting) (keys []string) {
	for _, s := range list {
		if s.Locked {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// service looks at whether the system runs the agent. It is a matter of taste, so that without one nothing is wrong if the agent runs.
func service(_ context.Context, p *Patient, found func(Finding)) {
	s := p.Service
	switch {
	case s == nil:
		found(ok("service.none", fmt.Sprintf("it is not known whether the system runs the agent: %v", p.ServiceErr)))
		return
	case !s.Installed:
		found(warning("service.installed", "the system does not run the agent: after the next login nothing is synchronized until somebody starts it",
			"alwayson service install && alwayson service start"))
		return
	case s.Foreign:
		found(ok("service.installed", s.Place+" runs the agent; it was not written by alwayson service install"))
	case !s.Current:
		found(warning("service.current", s.Place+" is of another version, or for another configuration", "alwayson service install && alwayson service restart"))
	}
	switch {
	case !s.Enabled:
		found(warning("service.enabled", "the service is not started at the next login", "alwayson service install"))
	case !s.Running:
		found(warning("service.running", "the service does not run", "alwayson service start"))
	default:
		found(ok("service.running", "the system runs the agent, at each login, and starts it again when it crashes"))
	}
	if c := s.LastCrash; c != nil && p.Crash == nil {
		found(warning("service.crash", "the agent has crashed: "+c.Reason+"; nothing is lost", "alwayson support-bundle"))
	}
}

// crashed tells of the last crash with what the agent said then, whoever has started it.
func crashed(_ context.Context, p *Patient, found func(Finding)) {
	if c := p.Crash; c != nil {
		found(warning("agent.crash", fmt.Sprintf("the agent has crashed on %s: %s; nothing is lost", c.At.Format(time.DateTime), c.Reason),
			"alwayson support-bundle; when that is sent: rm "+c.File))
	}
}

// running looks at the agent that runs.
func running(_ context.Context, p *Patient, found func(Finding)) {
	s := p.Agent
	if s == nil {
		found(fault("agent.running", p.AgentErr.Error()+"; nothing is synchronized until it runs, and nothing is lost", "alwayson service start, or alwayson run"))
		return
	}
	if s.Version != p.Version {
		found(warning("agent.version", fmt.Sprintf("the agent that runs is version %s, this program is %s", s.Version, p.Version), "alwayson service restart"))
	} else {
		found(ok("agent.version", "the agent runs, version "+s.Version))
	}
	switch {
	case !s.AlwaysOn:
		found(warning("agent.on", "Always-On is off: changes are not synchronized by themselves", "alwayson on"))
	case s.Advice != "":
		found(fault("agent.state", s.Summary, s.Advice))
	case s.State == "retrying", s.State == "lost":
		found(warning("agent.state", s.Summary, "nothing: it is tried again by itself"))
	default:
		found(ok("agent.state", s.Summary))
	}
}
