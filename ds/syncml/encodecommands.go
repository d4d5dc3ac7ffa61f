package syncml

import "strconv"

// Command writes one command.
func (e *Encoder) Command(c Command) {
	switch c := c.(type) {
	case *Status:
		e.status(c)
	case *Change:
		e.change(c)
	case *Alert:
		e.alert(c)
	case *Sync:
		e.BeginSync(c)
		for _, inner := range c.Commands {
			e.Command(inner)
		}
		e.EndSync()
	case *Map:
		e.mapCommand(c)
	case *Put:
		e.getOrPut("Put", c.ID, c.NoResp, c.Lang, c.Cred, &c.Meta, c.Items)
	case *Get:
		e.getOrPut("Get", c.ID, c.NoResp, c.Lang, c.Cred, &c.Meta, c.Items)
	case *Results:
		e.results(c)
	case *Exec:
		e.exec(c)
	case *Group:
		e.group(c)
	case *Search:
		e.begin("Search", c.ID, c.NoResp)
		e.end()
	}
}

func (e *Encoder) begin(name, id string, noResp bool) {
	e.start(name)
	e.text("CmdID", id)
	e.flag(e.space(), "NoResp", noResp)
}

func (e *Encoder) items(items []Item, object bool) {
	for i := range items {
		e.item(&items[i], object)
	}
}

func (e *Encoder) status(c *Status) {
	e.begin("Status", c.ID, false)
	e.text("MsgRef", c.MsgRef)
	e.text("CmdRef", c.CmdRef)
	e.text("Cmd", c.Cmd)
	for _, r := range c.TargetRefs {
		e.text("TargetRef", r)
	}
	for _, r := range c.SourceRefs {
		e.text("SourceRef", r)
	}
	e.cred(c.Cred)
	if c.Chal != nil {
		e.start("Chal")
		e.meta(c.Chal)
		e.end()
	}
	e.text("Data", strconv.Itoa(int(c.Code)))
	e.items(c.Items, false)
	e.end()
}

func (e *Encoder) change(c *Change) {
	e.begin(c.Op.String(), c.ID, c.NoResp)
	e.flag(e.space(), "Archive", c.Archive)
	e.flag(e.space(), "SftDel", c.SftDel)
	e.cred(c.Cred)
	e.meta(&c.Meta)
	e.items(c.Items, true)
	e.end()
}

func (e *Encoder) alert(c *Alert) {
	e.begin("Alert", c.ID, c.NoResp)
	e.cred(c.Cred)
	e.text("Data", strconv.Itoa(int(c.Code)))
	e.text("Correlator", c.Correlator)
	e.items(c.Items, false)
	e.end()
}

// BeginSync opens a Sync; the commands up to EndSync lie in it, s.Commands is not looked at.
func (e *Encoder) BeginSync(s *Sync) {
	e.begin("Sync", s.ID, s.NoResp)
	e.cred(s.Cred)
	e.location("Target", &s.Target)
	e.location("Source", &s.Source)
	e.meta(&s.Meta)
	if s.NumberOfChanges >= 0 {
		e.text("NumberOfChanges", strconv.Itoa(s.NumberOfChanges))
	}
}

// EndSync closes the Sync.
func (e *Encoder) EndSync() { e.end() }

func (e *Encoder) mapCommand(c *Map) {
	e.begin("Map", c.ID, false)
	e.location("Target", &c.Target)
	e.location("Source", &c.Source)
	e.cred(c.Cred)
	e.meta(&c.Meta)
	for _, m := range c.Items {
		e.start("MapItem")
		e.location("Target", &Location{URI: m.Target})
		e.location("Source", &Location{URI: m.Source})
		e.end()
	}
	e.end()
}

func (e *Encoder) getOrPut(name, id string, noResp bool, lang string, cred *Cred, meta *Meta, items []Item) {
	e.begin(name, id, noResp)
	e.text("Lang", lang)
	e.cred(cred)
	e.meta(meta)
	e.items(items, false)
	e.end()
}

func (e *Encoder) results(c *Results) {
	e.begin("Results", c.ID, false)
	e.text("MsgRef", c.MsgRef)
	e.text("CmdRef", c.CmdRef)
	e.meta(&c.Meta)
	e.text("TargetRef", c.TargetRef)
	e.text("SourceRef", c.SourceRef)
	e.items(c.Items, false)
	e.end()
}

func (e *Encoder) exec(c *Exec) {
	e.begin("Exec", c.ID, c.NoResp)
	e.cred(c.Cred)
	e.meta(&c.Meta)
	e.text("Correlator", c.Correlator)
	e.item(&c.Item, false)
	e.end()
}

func (e *Encoder) group(c *Group) {
	e.begin(c.CommandName(), c.ID, c.NoResp)
	e.meta(&c.Meta)
	for _, inner := range c.Commands {
		e.Command(inner)
	}
	e.end()
}
