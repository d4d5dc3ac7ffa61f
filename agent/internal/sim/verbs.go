package sim

import (
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// verb is what can happen to a device.
type verb struct {
	do     func(d *device, n, m int)
	weight int  // how often it comes
	armed  bool // it can happen in the middle of something else
}

// verbs are all that can happen. The init function breaks a circle: an armed step plays another one.
var verbs map[string]verb

func init() {
	verbs = map[string]verb{
		// The world goes on.
		"go":   {(*device).goOn, 300, false},
		"run":  {(*device).runOn, 40, false},
		"wait": {func(d *device, _, _ int) { d.whenUp((*process).wait) }, 20, false},
		"poke": {func(d *device, _, _ int) { d.poked() }, 25, false},
		"sync": {func(d *device, _, _ int) { d.whenUp((*process).userSyncs) }, 10, false},
		"pass": {func(d *device, n, _ int) { d.w.pass(n) }, 8, false},
		// Users.
		"add":     {(*device).userAdds, 25, true},
		"edit":    {(*device).userEdits, 40, true},
		"recolor": {(*device).userRecolors, 8, true},
		"delete":  {(*device).userDeletes, 15, true},
		"rename":  {(*device).userRenames, 8, true},
		"move":    {(*device).userMoves, 8, true},
		"flag":    {(*device).userFlags, 10, true},
		"wipe":    {func(d *device, n, m int) { d.userWipes(n, m) }, 6, true},
		"approve": {func(d *device, _, _ int) { d.decides(true) }, 5, false},
		"reject":  {func(d *device, _, _ int) { d.decides(false) }, 5, false},
		"rmdir":   {(*device).userRemovesFolder, 3, true},
		"import":  {(*device).userImports, 4, false},
		"replace": {(*device).replaces, 0, false},
		"restore": {(*device).restores, 0, false},
		"undo":    {(*device).undoes, 0, false},
		"deafen":  {func(d *device, n, _ int) { d.deaf = n%2 == 0 }, 3, true},
		// Users on the server.
		"sadd":     {func(d *device, n, m int) { d.w.server.userAdds(n, m) }, 8, false},
		"sedit":    {func(d *device, n, m int) { d.w.server.userEdits(n, m) }, 15, false},
		"srecolor": {func(d *device, n, m int) { d.w.server.userRecolors(n, m) }, 3, false},
		"sdelete":  {func(d *device, n, m int) { d.w.server.userDeletes(n, m) }, 6, false},
		"swipe":    {func(d *device, n, m int) { d.w.server.userWipes(n, m) }, 3, false},
		"smove":    {func(d *device, n, m int) { d.w.server.userMoves(n, m) }, 3, false},
		"sflag":    {func(d *device, n, m int) { d.w.server.userFlags(n, m) }, 3, false},
		// An administrator.
		"sapprove": {func(d *device, _, _ int) { d.w.server.decides(d, true) }, 0, false},
		"sreject":  {func(d *device, _, _ int) { d.w.server.decides(d, false) }, 0, false},
		// The session.
		"on":     {func(d *device, _, _ int) { d.tell(session.SwitchOn{}) }, 8, false},
		"off":    {func(d *device, _, _ int) { d.tell(session.SwitchOff{}) }, 4, false},
		"pause":  {func(d *device, n, _ int) { d.tell(session.Pause{Until: d.pauseEnd(n)}) }, 4, false},
		"resume": {func(d *device, _, _ int) { d.tell(session.Resume{}) }, 3, false},
		"open":   {func(d *device, _, _ int) { d.tell(session.OpenSession{}) }, 2, false},
		"close":  {func(d *device, _, _ int) { d.tell(session.CloseSession{}) }, 2, false},
		"linkup": {func(d *device, _, _ int) { d.tell(session.LinkUp{}) }, 4, false},
		// The link.
		"lose":   {(*device).loses, 20, false},
		"double": {(*device).doubles, 8, false},
		"delay":  {(*device).delays, 8, false},
		"arrive": {func(d *device, _, _ int) { d.w.arrive() }, 10, false},
		"cut":    {func(d *device, n, _ int) { d.link = n%2 == 0 }, 6, true},
		// Crashes, disks, clocks.
		"kill":     {func(d *device, _, _ int) { d.kill() }, 15, true},
		"power":    {func(d *device, n, _ int) { d.kill(); d.disk.cut(n % 4) }, 8, true},
		"fail":     {func(d *device, n, m int) { d.breakDisk(n%3+1, diskErrors[m%len(diskErrors)]) }, 8, true},
		"unmount":  {func(d *device, n, _ int) { d.disk.gone = n%2 == 0 }, 4, true},
		"jump":     {func(d *device, n, m int) { d.skew += jump(n, m) }, 4, true},
		"srestart": {func(d *device, _, _ int) { d.w.server.restart() }, 8, false},
		"sfail":    {func(d *device, _, _ int) { d.w.server.fails++ }, 5, false},
		"sjump":    {func(d *device, n, m int) { d.w.server.skew += jump(n, m) }, 2, false},
		"sweep":    {func(d *device, _, _ int) { d.w.server.sweep() }, 2, false},
		// Credentials and filters.
		"password": {func(d *device, n, _ int) { d.w.server.newSecret(d, secrets[n%len(secrets)]+d.id) }, 3, false},
		"login":    {func(d *device, n, _ int) { d.logsIn(secrets[n%len(secrets)] + d.id) }, 4, false},
		"filter":   {func(d *device, n, _ int) { d.filters(d.filterText(n)) }, 6, false},
		"bodies":   {func(d *device, n, m int) { d.filters(d.bodiesText(n, m)) }, 0, false},
		"sbodies":  {func(d *device, n, m int) { d.w.server.setFilter(d, d.bodiesText(n, m)) }, 0, false},
		"fetch":    {(*device).fetches, 0, false},
		"travel":   {func(d *device, n, m int) { d.travels(d.filterText(n), m) }, 5, false},
		"sfilter":  {func(d *device, n, _ int) { d.w.server.setFilter(d, d.filterText(n)) }, 5, false},
	}
}

var secrets = []string{"secret-", "another-", "third-"}

// jump is what a clock does when it is set: minutes to years, both ways.
func jump(n, m int) time.Duration {
	by := []time.Duration{time.Minute, time.Hour, 40 * time.Hour, 400 * 24 * time.Hour}[n%4]
	if m%2 == 0 {
		return -by
	}
	return by
}

// pauseEnd is when a pause ends; sometimes the user has to end it.
func (d *device) pauseEnd(n int) time.Time {
	if n%3 == 0 {
		return time.Time{}
	}
	return d.now().Add([]time.Duration{time.Minute, time.Hour}[n%2])
}

// pass lets time go by. The kernel writes out what lies in its caches.
func (w *World) pass(n int) {
	w.clock = w.clock.Add([]time.Duration{time.Second, time.Minute, time.Hour, 30 * time.Hour}[n%4])
	for _, d := range w.devices {
		d.disk.unsynced = nil
	}
}

func (d *device) whenUp(fn func(*process)) {
	if d.proc != nil {
		fn(d.proc)
	}
}

func (d *device) tell(ev session.Event) {
	d.whenUp(func(p *process) { p.tell(ev, nil) })
}

// goOn makes the agent do the next thing that it has to do.
func (d *device) goOn(int, int) {
	p := d.proc
	switch {
	case p == nil:
		d.boot()
	case p.x != nil:
		p.x.step()
	case p.hint != nil:
		p.noticed()
	case !p.due.IsZero() && !d.w.clock.Before(p.due):
		p.timer()
	}
}

// runOn makes the agent do all it has to do now.
func (d *device) runOn(int, int) {
	for range hops {
		if d.idle() {
			return
		}
		d.goOn(0, 0)
		d.bury()
	}
	d.w.fail("endless", "%s: no end after %d hops", d.id, hops)
}

// hops are more than any exchange of these worlds needs.
const hops = 400

func (d *device) idle() bool {
	p := d.proc
	return p != nil && p.x == nil && p.hint == nil && (p.due.IsZero() || d.w.clock.Before(p.due))
}

// poked is a notification of the server, if it has a reason for one.
func (d *device) poked() {
	due, plan := d.w.server.due(d)
	if due {
		d.whenUp(func(p *process) { p.tell(session.Wanted{Cause: session.CauseServer}, plan) })
	}
}

func (p *process) userSyncs() { p.ask(session.Wanted{Cause: session.CauseUser, Force: true}, nil) }

// replaces is alwayson sync --mode refresh-from-client: what the device has takes the place of what the server has. What was there at that moment may be
// in a history only, or both live on if the exchange is cut off: nobody can tell before.
func (d *device) replaces(int, int) {
	d.whenUp(func(p *process) {
		d.w.ledger.loose = true
		p.ask(session.Wanted{Cause: session.CauseUser, Force: true}, &engine.Plan{Types: map[string]ds.Alert{p.replica.Local(): ds.AlertRefreshFromClient}})
	})
}

func (d *device) loses(int, int) {
	if d.proc != nil && d.proc.x != nil && d.proc.x.yield != nil {
		d.proc.x.lose()
	}
}

// doubles: the network carries the request twice; the device gets the second answer.
func (d *device) doubles(int, int) {
	if d.proc != nil && d.proc.x != nil && d.proc.x.request != nil {
		d.proc.x.deliver(2)
	}
}

// delays: the request comes so late that the device has given it up.
func (d *device) delays(int, int) {
	if d.proc != nil && d.proc.x != nil && d.proc.x.request != nil {
		d.w.late = append(d.w.late, late{d, slices.Clone(d.proc.x.request)})
		d.proc.x.lose()
	}
}

// arrive delivers the oldest message that is late. Nobody waits for the answer.
func (w *World) arrive() {
	if len(w.late) == 0 {
		return
	}
	l := w.late[0]
	w.late = w.late[1:]
	w.server.handle(l.device.id, l.body) //nolint:errcheck // see above
}

// logsIn is alwayson login.
func (d *device) logsIn(secret string) {
	d.secret = secret
	d.judged = ""
	d.whenUp(func(p *process) {
		held := p.m.State == session.Held
		p.tell(session.Credentials{}, nil)
		if !held && d.proc == p {
			p.ask(session.Wanted{Cause: session.CausePassword, Force: true}, nil)
		}
	})
}

// filterTexts are what users filter by, %s being the field of the kind.
var filterTexts = []string{"", "red", "green", "red,blue", "-red", "nothing"}

func (d *device) filterText(n int) string {
	text, field := filterTexts[n%len(filterTexts)], "category:"
	if d.disk.kind == "mail" {
		field = "subject:"
	}
	switch {
	case text == "":
		return ""
	case text[0] == '-':
		return "-" + field + text[1:]
	}
	return field + text
}

// trips are for how long users travel.
var trips = []time.Duration{time.Minute, time.Hour, 30 * time.Hour}

// travels is alwayson sync --filter: what is wanted besides, for some time.
func (d *device) travels(text string, m int) {
	d.whenUp(func(p *process) {
		f := p.wants.Get(storeName).Filter
		f.Travel, f.Until = text, d.now().Add(trips[m%len(trips)]).UTC().Truncate(time.Second)
		if err := p.wants.Set(storeName, f); err != nil {
			d.w.logf("  %s: %v", d.id, err)
			return
		}
		p.userSyncs()
	})
}

// filters is alwayson filter set.
func (d *device) filters(text string) {
	d.whenUp(func(p *process) {
		if err := p.wants.Set(storeName, dsclient.Filter{Text: text}); err != nil {
			d.w.logf("  %s: %v", d.id, err)
			return
		}
		if p.m.On {
			p.tell(session.Wanted{Cause: session.CauseFilter}, nil)
		}
	})
}
