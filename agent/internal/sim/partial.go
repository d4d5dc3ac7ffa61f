package sim

import (
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/scope"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/mail"
)

// parts are the rest of a message in a world where devices may leave some of it on the server.
var parts = strings.ReplaceAll(`MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

Text
--b
Content-Type: application/pdf
Content-Disposition: attachment; filename=a.pdf

PDF
--b--
`, "\n", "\r\n")

// bodyTexts are how much users want of messages.
var bodyTexts = []string{"", "body:headers", "body:text attachments:none", "body:text attachments:all"}

func (d *device) bodiesText(n, m int) string {
	return strings.TrimSpace(d.filterText(n) + " " + bodyTexts[m%len(bodyTexts)])
}

func isPartial(it pim.Item) bool {
	_, ok := mail.Partial(it.Body)
	return it.Type == pim.TypeMessage && ok
}

// wholes are the items of a device of which it has all.
func (d *device) wholes() []entry {
	return slices.DeleteFunc(d.items(), func(e entry) bool { return isPartial(e.item) })
}

// fetches is alwayson fetch: a message whole.
func (d *device) fetches(n, _ int) {
	e := pick(d.items(), n)
	if e == nil {
		return
	}
	d.whenUp(func(p *process) {
		luid, ok, err := p.replica.Find(e.key)
		if !ok || err != nil {
			return
		}
		for _, row := range d.rows() { // another one of that name, if nobody has looked at this one yet
			if f := d.disk.files[row.Key]; row.LUID == luid && f != nil {
				d.kept[uid(f.item.Body)] = true // whatever its filter says
			}
		}
		local := p.replica.Local()
		p.ask(session.Wanted{Cause: session.CauseUser, Force: true}, &engine.Plan{Only: true,
			Types:   map[string]ds.Alert{local: ds.AlertOneWayFromServer},
			Filters: map[string]dsclient.Filter{local: {LUID: luid}}})
	})
}

// reduced is an item as a device takes it; not ok if it takes all of it.
func (s *server) reduced(tx dsstore.Tx, sc *scope.Scope, it dsstore.Item, item pim.Item) (part pim.Item, ok bool, err error) {
	if item.Type != pim.TypeMessage {
		return part, false, nil
	}
	look, err := sc.Look(tx, collection, &dsstore.Pending{Item: it}, false)
	if err != nil {
		return part, false, err
	}
	part = item
	part.Body, ok = mail.Reduce(item.Body, sc.Policy(look, s.now()))
	return part, ok, nil
}
