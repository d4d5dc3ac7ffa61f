package syncml

import (
	"github.com/alwayson-sync/alwayson/ds"
)

var ops = map[string]Op{"Add": OpAdd, "Replace": OpReplace, "Delete": OpDelete, "Copy": OpCopy, "Move": OpMove}

// command reads one command and appends it; an unknown element is passed over.
func (d *decoder) command(name string, into *[]Command) error {
	var c Command
	var err error
	switch name {
	case "Status":
		c, err = d.status()
	case "Add", "Replace", "Delete", "Copy", "Move":
		c, err = d.change(ops[name])
	case "Alert":
		c, err = d.alert()
	case "Sync":
		c, err = d.sync()
	case "Map":
		c, err = d.mapCommand()
	case "Put":
		p := &Put{}
		c, err = p, d.getOrPut(&p.ID, &p.NoResp, &p.Lang, &p.Cred, &p.Meta, &p.Items)
		takeDevInf(p.Items)
	case "Get":
		g := &Get{}
		c, err = g, d.getOrPut(&g.ID, &g.NoResp, &g.Lang, &g.Cred, &g.Meta, &g.Items)
	case "Results":
		c, err = d.results()
	case "Exec":
		c, err = d.exec()
	case "Atomic", "Sequence":
		c, err = d.group(name == "Atomic")
	case "Search":
		c, err = d.search()
	default:
		return d.skip()
	}
	*into = append(*into, c)
	return err
}

func (d *decoder) change(op Op) (*Change, error) {
	c := d.changes.one()
	c.Op = op
	err := d.children(func(name string) error {
		switch name {
		case "CmdID":
			return d.trimmed(&c.ID)
		case "NoResp":
			return d.flag(&c.NoResp)
		case "Archive":
			return d.flag(&c.Archive)
		case "SftDel":
			return d.flag(&c.SftDel)
		case "Cred":
			return d.cred(&c.Cred)
		case "Meta":
			return d.meta(&c.Meta)
		case "Item":
			return d.addItem(&c.Items)
		}
		return d.skip()
	})
	return c, err
}

func (d *decoder) alert() (*Alert, error) {
	c := &Alert{Code: ds.AlertDisplay}
	err := d.children(func(name string) error {
		switch name {
		case "CmdID":
			return d.trimmed(&c.ID)
		case "NoResp":
			return d.flag(&c.NoResp)
		case "Cred":
			return d.cred(&c.Cred)
		case "Data":
			var n int64
			err := d.number(&n)
			c.Code = ds.Alert(n)
			return err
		case "Correlator":
			return d.trimmed(&c.Correlator)
		case "Item":
			return d.addItem(&c.Items)
		}
		return d.skip()
	})
	return c, err
}

func (d *decoder) sync() (*Sync, error) {
	c := &Sync{NumberOfChanges: -1}
	err := d.children(func(name string) error {
		switch name {
		case "CmdID":
			return d.trimmed(&c.ID)
		case "NoResp":
			return d.flag(&c.NoResp)
		case "Cred":
			return d.cred(&c.Cred)
		case "Target":
			return d.location(&c.Target)
		case "Source":
			return d.location(&c.Source)
		case "Meta":
			return d.meta(&c.Meta)
		case "NumberOfChanges":
			n := int64(-1)
			err := d.number(&n)
			c.NumberOfChanges = int(n)
			return err
		}
		return d.command(name, &c.Commands)
	})
	return c, err
}

func (d *decoder) mapCommand() (*Map, error) {
	c := &Map{}
	err := d.children(func(name string) error {
		switch name {
		case "CmdID":
			return d.trimmed(&c.ID)
		case "Target":
			return d.location(&c.Target)
		case "Source":
			return d.location(&c.Source)
		case "Cred":
			return d.cred(&c.Cred)
		case "Meta":
			return d.meta(&c.Meta)
		case "MapItem":
			return d.mapItem(c)
		}
		return d.skip()
	})
	return c, err
}

func (d *decoder) mapItem(c *Map) error {
	var target, source Location
	err := d.children(func(name string) error {
		switch name {
		case "Target":
			return d.location(&target)
		case "Source":
			return d.location(&source)
		}
		return d.skip()
	})
	c.Items = append(c.Items, MapItem{Target: target.URI, Source: source.URI})
	return err
}

// getOrPut reads the fields that Get and Put share.
func (d *decoder) getOrPut(id *string, noResp *bool, lang *string, cred **Cred, meta *Meta, items *[]Item) error {
	return d.children(func(name string) error {
		switch name {
		case "CmdID":
			return d.trimmed(id)
		case "NoResp":
			return d.flag(noResp)
		case "Lang":
			return d.trimmed(lang)
		case "Cred":
			return d.cred(cred)
		case "Meta":
			return d.meta(meta)
		case "Item":
			return d.addItem(items)
		}
		return d.skip()
	})
}

func (d *decoder) results() (*Results, error) {
	c := &Results{}
	err := d.children(func(name string) error {
		switch name {
		case "CmdID":
			return d.trimmed(&c.ID)
		case "MsgRef":
			return d.trimmed(&c.MsgRef)
		case "CmdRef":
			return d.trimmed(&c.CmdRef)
		case "Meta":
			return d.meta(&c.Meta)
		case "TargetRef":
			return d.trimmed(&c.TargetRef)
		case "SourceRef":
			return d.trimmed(&c.SourceRef)
		case "Item":
			return d.addItem(&c.Items)
		}
		return d.skip()
	})
	takeDevInf(c.Items)
	return c, err
}

func (d *decoder) exec() (*Exec, error) {
	c := &Exec{}
	err := d.children(func(name string) error {
		switch name {
		case "CmdID":
			return d.trimmed(&c.ID)
		case "NoResp":
			return d.flag(&c.NoResp)
		case "Cred":
			return d.cred(&c.Cred)
		case "Meta":
			return d.meta(&c.Meta)
		case "Correlator":
			return d.trimmed(&c.Correlator)
		case "Item":
			return d.item(&c.Item)
		}
		return d.skip()
	})
	return c, err
}

func (d *decoder) group(atomic bool) (*Group, error) {
	c := &Group{Atomic: atomic}
	err := d.children(func(name string) error {
		switch name {
		case "CmdID":
			return d.trimmed(&c.ID)
		case "NoResp":
			return d.flag(&c.NoResp)
		case "Meta":
			return d.meta(&c.Meta)
		}
		return d.command(name, &c.Commands)
	})
	return c, err
}

func (d *decoder) search() (*Search, error) {
	c := &Search{}
	err := d.children(func(name string) error {
		switch name {
		case "CmdID":
			return d.trimmed(&c.ID)
		case "NoResp":
			return d.flag(&c.NoResp)
		}
		return d.skip()
	})
	return c, err
}

func (d *decoder) status() (*Status, error) {
	c := d.statuses.one()
	err := d.children(func(name string) error {
		switch name {
		case "CmdID":
			return d.trimmed(&c.ID)
		case "MsgRef":
			return d.trimmed(&c.MsgRef)
		case "CmdRef":
			return d.trimmed(&c.CmdRef)
		case "Cmd":
			return d.trimmed(&c.Cmd)
		case "TargetRef":
			return d.append(&c.TargetRefs)
		case "SourceRef":
			return d.append(&c.SourceRefs)
		case "Cred":
			return d.cred(&c.Cred)
		case "Chal":
			c.Chal = &Meta{}
			return d.chal(c.Chal)
		case "Data":
			var n int64
			err := d.number(&n)
			c.Code = ds.Status(n)
			return err
		case "Item":
			return d.addItem(&c.Items)
		}
		return d.skip()
	})
	if c.MsgRef == "" {
		c.MsgRef = "1" // absent or empty in some answers, then it is the first message
	}
	return c, err
}

func (d *decoder) chal(m *Meta) error {
	return d.children(func(name string) error {
		if name == "Meta" {
			return d.meta(m)
		}
		return d.skip()
	})
}
