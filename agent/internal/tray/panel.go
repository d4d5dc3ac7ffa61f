//go:build !darwin || cgo

package tray

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"time"

	"fyne.io/systray"
)

// Panel is the Screen of the desktop's panel.
type Panel struct {
	theme  Theme
	clicks chan<- Click
	state  State
	text   string

	mu   sync.Mutex // guards what rows say
	rows []*row
}

// row is a line of the menu with what it says.
type row struct {
	Item
	line *systray.MenuItem // nil if it separates
	sub  []*row
}

// NewPanel makes an icon that shows when Present is called. Clicks on its menu go to clicks.
func NewPanel(t Theme, clicks chan<- Click) *Panel { return &Panel{theme: t, clicks: clicks} }

// name is what the icon is called where the user orders his icons.
const name = "AlwaysOn"

// build makes the menu, and the icon say that nothing is known yet.
func (p *Panel) build(ctx context.Context) {
	v := Look(&Facts{}, time.Now())
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, it := range v.Menu {
		p.rows = append(p.rows, p.add(ctx, nil, it))
	}
}

func (p *Panel) add(ctx context.Context, parent *row, it Item) *row {
	if it.Line {
		systray.AddSeparator()
		return &row{Item: it}
	}
	r := &row{line: newLine(parent, it)}
	for _, sub := range it.Sub {
		r.sub = append(r.sub, p.add(ctx, r, sub))
	}
	if len(it.Sub) == 0 {
		go p.pass(ctx, r)
	}
	r.show(it)
	return r
}

func newLine(parent *row, it Item) *systray.MenuItem {
	switch {
	case parent != nil:
		return parent.line.AddSubMenuItem("", "")
	case it.Checkable:
		return systray.AddMenuItemCheckbox("", "", false)
	}
	return systray.AddMenuItem("", "")
}

// pass passes clicks on. A click that nobody waits for is lost, so each line has somebody who does.
func (p *Panel) pass(ctx context.Context, r *row) {
	for {
		select {
		case <-r.line.ClickedCh:
		case <-ctx.Done():
			return
		}
		p.mu.Lock()
		c := r.Do
		p.mu.Unlock()
		select {
		case p.clicks <- c:
		case <-ctx.Done():
			return
		}
	}
}

// Show implements Screen.
func (p *Panel) Show(v View) {
	if v.State != p.state {
		systray.SetIcon(p.icon(v.State))
	}
	if v.Text != p.text {
		systray.SetTooltip(tip(v.Text))
	}
	p.state, p.text = v.State, v.Text
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, it := range v.Menu {
		p.rows[i].show(it)
	}
}

// icon is a file as this system wants it.
func (p *Panel) icon(s State) []byte {
	if runtime.GOOS == "windows" {
		return ICO(s, p.theme)
	}
	return PNG(s, p.theme)
}

// tip is a tooltip. Windows has room for 127 characters.
func tip(text string) string {
	text = name + ": " + text
	if r := []rune(text); len(r) > 120 {
		return string(r[:119]) + "…"
	}
	return text
}

// show changes what is different. What is hidden is left alone: on Windows any change shows it.
func (r *row) show(it Item) {
	former := r.Item
	switch {
	case it.Line:
	case it.Hidden:
		if r.Hidden = true; !former.Hidden {
			r.line.Hide()
		}
	default:
		r.Item = it
		r.say(former)
		for i, sub := range it.Sub {
			r.sub[i].show(sub)
		}
	}
}

func (r *row) say(former Item) {
	if r.Text != former.Text {
		r.line.SetTitle(label(r.Text))
	}
	if r.Checked != former.Checked {
		set(r.Checked, r.line.Check, r.line.Uncheck)
	}
	if r.Disabled != former.Disabled {
		set(r.Disabled, r.line.Disable, r.line.Enable)
	}
	if former.Hidden {
		r.line.Show()
	}
}

func set(on bool, yes, no func()) {
	if on {
		yes()
	} else {
		no()
	}
}

// label is a text in which no letter is taken for a key.
func label(text string) string {
	if runtime.GOOS == "windows" {
		return strings.ReplaceAll(text, "&", "&&")
	}
	return strings.ReplaceAll(text, "_", "__")
}
