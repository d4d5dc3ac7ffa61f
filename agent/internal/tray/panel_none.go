//go:build darwin && !cgo

package tray

import (
	"context"
	"errors"
)

// Panel is the Screen of the desktop's panel, which this build has not.
type Panel struct{}

// NewPanel makes a Panel.
func NewPanel(Theme, chan<- Click) *Panel { return &Panel{} }

// Show implements Screen.
func (*Panel) Show(View) {}

// Present says that there is nothing to show it with.
func (*Panel) Present(context.Context, func()) error {
	return errors.New("this program was built without the menu bar of macOS (it needs CGO_ENABLED=1 on a Mac); synchronization goes on without it: alwayson status")
}
