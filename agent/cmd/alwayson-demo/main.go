// Command alwayson-demo shows two devices and a server keeping each other equal, in temporary folders on this machine.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alwayson-sync/alwayson/agent/internal/demo"
)

func main() {
	once := flag.Bool("once", false, "play the story by itself and exit: 0 only if all of it held")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := demo.Live
	if *once {
		run = demo.Once
	}
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "alwayson-demo:", err)
		stop()
		os.Exit(1)
	}
}
