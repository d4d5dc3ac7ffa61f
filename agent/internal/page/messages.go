package page

import (
	"context"
	"fmt"
	"slices"

	"maragu.dev/gomponents/html"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// messages are the last ones, newest first.
type messages []control.Message

func (h *house) messages(ctx context.Context, _ *view) (body, error) {
	list, err := h.agent.Messages(ctx)
	slices.Reverse(list)
	return orNothing(messages(list), err)
}

func (l messages) draw(v *view) node {
	return all(
		paragraph(v.Text("The last messages between this device and the server since this page was opened, newest first, as XML. Credentials are left out and long items shortened; nothing of it is kept when the page closes.")),
		live("all", each(l, v.drawMessage), when(len(l) == 0, paragraph(v.Text("There was no message yet.")))),
		v.form("sync", html.Class("actions"), button("sync", v.Text("Sync now"))))
}

func (v voice) drawMessage(_ int, m *control.Message) node {
	way := v.Text("← received %s", here)
	if m.Sent {
		way = v.Text("→ sent %s", here)
	}
	return html.Details(html.ID(fmt.Sprint("m-", m.At.UnixNano())), html.Summary(weave(way, v.moment(m.At)), text(", ", size(int64(m.Size)))),
		html.Pre(html.TabIndex("0"), text(m.Text)))
}
