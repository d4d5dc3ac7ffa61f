// Package script tests the command line as people use it: each script in testdata says what somebody types and what he sees.
//
// Besides the commands of testscript there are
//
//	server                      starts a server with an account ana, and sets $SERVER and $BROKER
//	device                      enrols laptop there, and sets it up in $HOME with contacts and a calendar
//	device phone                enrols another one, with a configuration and contacts of its own: phone.toml and Phone
//	agent [FLAG…]               starts the agent and waits until it answers
//	end [SIGNAL] server|agent   ends one of both, as the system does or with KILL or QUIT
//	impostor CODE TEXT          answers everything that is asked of the agent
//	exits CODE PROGRAM ARG…     runs a program that must end with this code
//	eventually TEXT PROGRAM ARG…  runs a program again and again until it writes the text
package script

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// bin is where the programs are.
var bin string

// TestMain builds the programs as the test itself is built: with -race, they look for races, too.
func TestMain(m *testing.M) {
	code, err := build(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

func build(then func() int) (int, error) {
	dir, err := os.MkdirTemp("", "alwayson-script-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // other users run them, too
		return 0, err
	}
	if err := os.Setenv("LC_ALL", "C"); err != nil { // the commands are read from --help in English, whoever runs the tests
		return 0, err
	}
	bin = dir
	args := []string{"build", "-o", dir + string(os.PathSeparator), "../../agent/cmd/alwayson", "../../ds/cmd/alwayson-server"}
	if out, err := exec.Command("go", slices.Insert(args, 1, flags...)...).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	return then(), nil
}

func TestScripts(t *testing.T) {
	s := &stage{t}
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: setUp, RequireExplicitExec: true, RequireUniqueNames: true, Condition: condition, Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"server": s.server, "device": device, "agent": agent, "end": end, "impostor": impostor, "exits": exits, "eventually": eventually,
	}})
}

// quick: with -race, each program would wait for a second before it ends.
const quick = "GORACE=atexit_sleep_ms=0"

// setUp gives each script a user of its own, whose programs see nothing of the one who runs the test.
func setUp(e *testscript.Env) error {
	home := filepath.Join(e.WorkDir, "home")
	e.Cd = home
	e.Vars = append(e.Vars, "HOME="+home, "XDG_RUNTIME_DIR="+filepath.Join(e.WorkDir, "run"), "XDG_CONFIG_HOME=", "XDG_STATE_HOME=", "DBUS_SESSION_BUS_ADDRESS=disabled:",
		"PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "CONFIG="+filepath.Join(home, ".config", "alwayson", "alwayson.toml"),
		"STATE="+filepath.Join(home, ".local", "state", "alwayson"), "DATA="+filepath.Join(e.WorkDir, "data"), "NO_COLOR=1", quick)
	e.Values[running{}] = map[string]*exec.Cmd{}
	for _, dir := range []string{home, filepath.Join(e.WorkDir, "run"), filepath.Join(home, "Contacts"), filepath.Join(home, "Calendar")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}

func condition(name string) (bool, error) {
	if name == "root" {
		return os.Getuid() == 0, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// running are the programs of a script that run beside it, by name.
type running struct{}

func start(ts *testscript.TestScript, name, program string, args ...string) {
	log, err := os.OpenFile(logOf(ts, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer log.Close()
	cmd := command(ts, program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	ts.Check(cmd.Start())
	all := ts.Value(running{}).(map[string]*exec.Cmd)
	all[name] = cmd
	ts.Defer(func() {
		if all[name] == cmd {
			finish(ts, name, syscall.SIGKILL)
		}
	})
}

func logOf(ts *testscript.TestScript, name string) string {
	return filepath.Join(ts.Getenv("WORK"), name+".log")
}

func finish(ts *testscript.TestScript, name string, with os.Signal) {
	all := ts.Value(running{}).(map[string]*exec.Cmd)
	cmd := all[name]
	if cmd == nil {
		ts.Fatalf("%s does not run", name)
	}
	delete(all, name)
	ts.Check(cmd.Process.Signal(with))
	cmd.Wait() //nolint:errcheck // how it ends is what the script looks at
	if text, err := os.ReadFile(logOf(ts, name)); err != nil || strings.Contains(string(text), "DATA RACE") {
		ts.Fatalf("%s: %v\n%s", name, err, text)
	}
}

// stage is what the scripts share.
type stage struct{ t *testing.T }

func (s *stage) server(ts *testscript.TestScript, _ bool, _ []string) {
	if ts.Getenv("SERVER") == "" {
		port, broker := testenv.FreePort(s.t), testenv.FreePort(s.t)
		ts.Setenv("LISTEN", "127.0.0.1:"+port)
		ts.Setenv("SERVER", "http://127.0.0.1:"+port)
		ts.Setenv("BROKER", "mqtt://127.0.0.1:"+broker)
		ask(ts, "", "alwayson-server", "--data", ts.Getenv("DATA"), "user", "add", "ana", "--no-password")
	}
	start(ts, "server", "alwayson-server", "--data", ts.Getenv("DATA"), "run", "--listen", ts.Getenv("LISTEN"), "--broker-listen", strings.TrimPrefix(ts.Getenv("BROKER"), "mqtt://"))
	testenv.Ask(s.t, "the server does not answer", func(ctx context.Context) error {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", ts.Getenv("LISTEN"))
		if err != nil {
			return err
		}
		return c.Close()
	})
}

func device(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) > 0 {
		phone(ts)
		return
	}
	secret := ask(ts, "", "alwayson-server", "--data", ts.Getenv("DATA"), "device", "add", "laptop", "--user", "ana")
	ask(ts, secret, "alwayson", "setup", ts.Getenv("SERVER"), "--broker", ts.Getenv("BROKER"), "--user", "ana", "--device", "laptop",
		"--store", "contacts=~/Contacts", "--store", "calendar=~/Calendar", "--yes")
}

// phone is written by hand, as one may.
func phone(ts *testscript.TestScript) {
	home := ts.Getenv("HOME")
	secret := ask(ts, "", "alwayson-server", "--data", ts.Getenv("DATA"), "device", "add", "phone", "--user", "ana")
	conf := fmt.Sprintf("device = \"phone\"\nstate = \"phone.state\"\nsocket = \"phone.sock\"\n[account]\nserver = %q\nuser = \"ana\"\nsecret_file = \"phone.secret\"\n"+
		"[push]\nbroker = %q\n[[store]]\nname = \"contacts\"\nkind = \"contacts\"\ndir = \"Phone\"\n", ts.Getenv("SERVER")+"/ds", ts.Getenv("BROKER"))
	ts.Check(os.WriteFile(filepath.Join(home, "phone.secret"), []byte(secret), 0o600))
	ts.Check(os.WriteFile(filepath.Join(home, "phone.toml"), []byte(conf), 0o600))
	ts.Check(os.Mkdir(filepath.Join(home, "Phone"), 0o700))
}

// ask is what a program writes, which must not fail.
func ask(ts *testscript.TestScript, stdin, program string, args ...string) string {
	cmd := command(ts, program, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		ts.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, out, errs.String())
	}
	return string(out)
}

// command is a program as the user of a script starts it.
func command(ts *testscript.TestScript, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bin, program), args...)
	cmd.Dir = ts.Getenv("HOME")
	for _, v := range []string{"HOME", "XDG_RUNTIME_DIR", "PATH", "DBUS_SESSION_BUS_ADDRESS", "GORACE"} {
		cmd.Env = append(cmd.Env, v+"="+ts.Getenv(v))
	}
	return cmd
}

func agent(ts *testscript.TestScript, _ bool, args []string) {
	name := "agent"
	if slices.Contains(args, "phone.toml") {
		name = "phone"
	}
	start(ts, name, "alwayson", append([]string{"run"}, args...)...)
	repeat(ts, regexp.MustCompile("Always-On"), "alwayson", append([]string{"status"}, args...)...)
}

func end(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]os.Signal{"KILL": syscall.SIGKILL, "QUIT": syscall.SIGQUIT}
	with, name := signals[args[0]], args[len(args)-1]
	if len(args) == 1 {
		with = syscall.SIGTERM
	}
	finish(ts, name, with)
}

func impostor(ts *testscript.TestScript, _ bool, args []string) {
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	l, err := net.Listen("unix", filepath.Join(ts.Getenv("XDG_RUNTIME_DIR"), "alwayson.sock"))
	ts.Check(err)
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		fmt.Fprintln(w, args[1])
	})}
	go s.Serve(l) //nolint:errcheck // it ends when it is closed
	ts.Defer(func() { s.Close() })
}

// exits is exec for who cares about the code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG…")
	}
	if got := codeOf(ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func codeOf(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually TEXT PROGRAM ARG…")
	}
	repeat(ts, regexp.MustCompile(args[0]), args[1], args[2:]...)
}

func repeat(ts *testscript.TestScript, want *regexp.Regexp, program string, args ...string) {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for late := time.After(time.Minute); ; {
		ts.Exec(program, args...) //nolint:errcheck // what it writes counts
		if want.MatchString(ts.ReadFile("stdout")) {
			return
		}
		select {
		case <-again.C:
		case <-late:
			ts.Fatalf("%s %s never says %q", program, strings.Join(args, " "), want)
		}
	}
}

// TestEveryCommandHasAScript: who adds a command shows what one types.
func TestEveryCommandHasAScript(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	var all strings.Builder
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, path := range commands(t) {
		typed := regexp.MustCompile(`(?m)^(exec|exits \d+|eventually '.*'|exec sh \S+) alwayson (--config \S+ )?` + path + `( |$)`)
		if !typed.MatchString(all.String()) {
			t.Errorf("no script has: exec alwayson %s", path)
		}
	}
}

// commands are those that the program names when it is asked for help.
func commands(t *testing.T, group ...string) (out []string) {
	t.Helper()
	help := exec.CommandContext(t.Context(), filepath.Join(bin, "alwayson"), append(group, "--help")...)
	help.Env = append(os.Environ(), quick)
	text, err := help.Output()
	if err != nil {
		t.Fatal(group, err)
	}
	_, list, _ := strings.Cut(string(text), "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	if list == "" {
		return []string{strings.Join(group, " ")}
	}
	for line := range strings.Lines(list) {
		name := strings.Fields(line)[0]
		if name != "completion" && name != "help" { // they come with the library
			out = append(out, commands(t, append(slices.Clone(group), name)...)...)
		}
	}
	return out
}
