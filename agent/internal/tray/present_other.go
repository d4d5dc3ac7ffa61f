//go:build windows || (darwin && cgo)

package tray

import (
	"context"

	"fyne.io/systray"
)

// Present shows the icon while body runs. It has to be called by the main goroutine.
func (p *Panel) Present(ctx context.Context, body func()) error {
	systray.Run(func() {
		p.build(ctx)
		body()
		systray.Quit()
	}, nil)
	return nil
}
