// Command alwayson-tray shows in the desktop's panel where the agent stands.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/browser"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
	"github.com/alwayson-sync/alwayson/agent/internal/tray"
)

// thrift is how much garbage may lie beside what is in use, in percent: a program that only waits shall be small rather than quick.
const thrift = 20

func main() {
	debug.SetGCPercent(thrift)
	say.Use(say.Spoken()...)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "alwayson-tray:", say.Sentence(err.Error()))
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	socket := flag.String("socket", control.DefaultSocket(), "socket of the agent")
	notify := flag.String("notify", string(tray.Problems), "what to be told of: none, problems, changes, all")
	icons := flag.String("icons", string(tray.Colour), "icons: colour, light (for dark panels), dark (for light panels)")
	flag.Parse()
	level, err := tray.ParseLevel(*notify)
	if err != nil {
		return err
	}
	theme, err := tray.ParseTheme(*icons)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	log.SetOutput(slog.NewLogLogger(logger.Handler(), slog.LevelDebug).Writer()) // what the tray library says of a missing panel, we say ourselves

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	clicks := make(chan tray.Click, 8)
	desktop, err := tray.OpenDesktop(clicks, logger)
	if err != nil {
		return err
	}
	defer desktop.Close()
	go func() {
		<-desktop.Closed()
		cancel()
	}()
	go desktop.Listen(ctx)

	client := control.Dial(*socket)
	defer client.Close()
	panel := tray.NewPanel(theme, clicks)
	return panel.Present(ctx, func() {
		tray.Run(ctx, tray.Options{Client: client, Notify: level, Screen: panel, Bell: desktop, Clicks: clicks, Browse: browser.Open, Start: tray.HowToStart, Log: logger})
	})
}
