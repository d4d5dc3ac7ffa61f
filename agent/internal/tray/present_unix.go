//go:build unix && !darwin

package tray

import (
	"context"

	"fyne.io/systray"
)

// Present shows the icon while body runs. It has to be called by the main goroutine.
func (p *Panel) Present(ctx context.Context, body func()) error {
	systray.SetTitle(name)
	built := make(chan struct{})
	start, end := systray.RunWithExternalLoop(func() { p.build(ctx); close(built) }, nil)
	start()
	<-built
	body() // not in the callback: while start is under way, what is shown can be lost
	end()
	return nil
}
