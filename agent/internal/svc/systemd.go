package svc

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Unit is the unit for systemd.
func (s *Spec) Unit() string {
	b := &strings.Builder{}
	b.WriteString("# " + Marker + ", which changes and removes it. Changes of your own: systemctl edit.\n")
	b.WriteString("[Unit]\nDescription=Always-On synchronization of contacts, calendars and mail\nStartLimitIntervalSec=0\n")
	if s.System {
		b.WriteString("After=network.target\n")
	}
	b.WriteString("\n[Service]\n" + s.process() + behaviour + s.places() + s.hardening() + "\n[Install]\nWantedBy=" + s.target() + "\n")
	return b.String()
}

func (s *Spec) process() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "ExecStart=%s", quote(s.Program, program))
	for _, a := range s.arguments() {
		b.WriteString(" " + quote(a, argument))
	}
	b.WriteString("\n")
	if s.StateHome != "" {
		fmt.Fprintf(b, "Environment=%s\n", quote("XDG_STATE_HOME="+s.StateHome, program))
	}
	if s.System {
		fmt.Fprintf(b, "User=%s\n", s.RunAs)
	}
	return b.String()
}

// behaviour: exit code 78 means that the operator has to act first. The watchdog is fed by the engine's loop.
const behaviour = `Type=notify
NotifyAccess=main
TimeoutStartSec=5min
WatchdogSec=3min
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=78
`

// dedicated tells whether the service runs as a user who is there for nothing else.
func (s *Spec) dedicated() bool { return s.System && s.RunAs == DefaultName }

func (s *Spec) places() string {
	if !s.System {
		return ""
	}
	text := fmt.Sprintf("RuntimeDirectory=%s\nRuntimeDirectoryMode=0700\n", s.Name)
	if s.dedicated() {
		text += fmt.Sprintf("StateDirectory=%s\nStateDirectoryMode=0700\nConfigurationDirectory=%s\nConfigurationDirectoryMode=0750\n", s.Name, s.Name)
	}
	return text
}

// hardened is what fits every agent: it writes wherever the user keeps his folders, listens on a socket of its own, and talks over the network.
const hardened = `UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
`

// ofMachine needs a mount namespace. A user's manager may not make one on every kernel, and the service would not start there (226/NAMESPACE).
const ofMachine = `CapabilityBoundingSet=
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=full
`

func (s *Spec) hardening() string {
	switch {
	case s.dedicated():
		return hardened + ofMachine + s.writable() + "ProtectHome=read-only\nRemoveIPC=yes\n"
	case s.System: // his folders are in his home
		return hardened + ofMachine + s.writable()
	}
	return hardened
}

// writable is where the agent writes settings and secrets, which may be in a folder that ProtectSystem makes read-only.
func (s *Spec) writable() string {
	return "ReadWritePaths=" + quote("-"+filepath.Dir(s.Config), program) + "\n"
}

func (s *Spec) target() string {
	if s.System {
		return "multi-user.target"
	}
	return "default.target"
}

// What in a word systemd would take for something else.
var (
	program  = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`)
	argument = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`)
)

func quote(word string, special *strings.Replacer) string { return `"` + special.Replace(word) + `"` }
