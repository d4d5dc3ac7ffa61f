package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/link"
	"github.com/alwayson-sync/alwayson/dm/mo"
)

// Network is how connections leave the device (S18).
type Network struct {
	// Proxy is http://host:port, https://host:port or socks5://host:port; "" is what the environment says, NoProxy is none.
	Proxy string `toml:"proxy"`
	// ProxySecretFile has user:password for it.
	ProxySecretFile string `toml:"proxy_secret_file"`
	// Allowed are the networks over which data may leave; see link.ParseNetworks.
	Allowed string `toml:"allowed"`
	// Metered is what metered networks may carry: sync, no.
	Metered string `toml:"metered"`
}

// Power is what synchronizing may take of it.
type Power struct {
	Battery string `toml:"battery"` // sync, saver, no; see package power
}

// NoProxy is the Proxy of who wants none, also if the environment names one.
const NoProxy = "none"

// Auto is the Fallbacks of a broker that listens where nearly every network lets a device through, too.
const Auto = "auto"

const heartbeat = "push.heartbeat"

func (c *Config) checkNetwork() (bad []string) {
	n := &c.Network
	if n.Proxy != "" && n.Proxy != NoProxy {
		if err := CheckProxy(n.Proxy); err != nil {
			bad = append(bad, "network.proxy: "+err.Error())
		}
	}
	if _, err := link.ParseNetworks(n.Allowed); err != nil {
		bad = append(bad, "network.allowed: "+err.Error())
	}
	for key, value := range map[string]string{heartbeat: time.Duration(c.Push.Heartbeat).String(), "network.metered": n.Metered, "power.battery": c.Power.Battery} {
		if s, ok := mo.Find(key); ok && value != "" {
			if err := s.Check(value); err != nil {
				bad = append(bad, key+": "+err.Error())
			}
		}
	}
	for _, address := range c.Push.Rungs() {
		if err := c.checkFallback(address); err != nil {
			bad = append(bad, "push.fallbacks: "+err.Error())
		}
	}
	return bad
}

func (c *Config) checkFallback(address string) error {
	if err := checkURL(address, "mqtts", "mqtt", "wss", "ws"); err != nil {
		return err
	}
	if secure(c.Push.Broker) && !secure(address) {
		return fmt.Errorf("%s is readable on the way, and push.broker is not", address)
	}
	return nil
}

func secure(broker string) bool {
	return strings.HasPrefix(broker, "mqtts:") || strings.HasPrefix(broker, "wss:")
}

// Rungs are the addresses of the fallbacks.
func (p *Push) Rungs() []string {
	if p.Fallbacks != Auto {
		return strings.Fields(p.Fallbacks)
	}
	u, err := url.Parse(p.Broker)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return []string{"mqtts://" + net.JoinHostPort(u.Hostname(), "443"), "wss://" + host + "/mqtt"}
}

// CheckProxy refuses what is no address of a proxy.
func CheckProxy(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("%q is no address like http://host:port", address)
	}
	if u.User != nil {
		return errors.New("user and password do not belong in the address: write user:password into a file of its own, and name it in network.proxy_secret_file")
	}
	if err := checkURL(address, "http", "https", "socks5"); err != nil {
		return err
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Hostname() == "" {
		return fmt.Errorf("%q is more than http://host:port", address)
	}
	return nil
}
