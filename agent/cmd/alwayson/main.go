// Command alwayson is the agent on a device and its command line.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // devices without zoneinfo, like Windows and small systems, read times of calendars, too

	"github.com/alwayson-sync/alwayson/agent/internal/cli"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

func main() {
	say.Use(say.Spoken()...)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
