package email

import "github.com/alwayson-sync/alwayson/ds/syncml"

// CTCaps tells a peer what this project keeps of e-mail and folder objects. That flags of a message may come without its body is not announced
// as FieldLevel: SyncEvolution cannot read device information that has this element (found by test/interop).
func CTCaps() []syncml.CTCap {
	return []syncml.CTCap{
		{Type: syncml.ContentType{Type: TypeEmail, Version: Version}, Properties: emailProperties()},
		{Type: syncml.ContentType{Type: TypeFolder, Version: Version}, Properties: []syncml.Property{
			property("name", "chr"), property("created", "dateTime"), property("modified", "dateTime"), role(),
		}},
	}
}

func emailProperties() []syncml.Property {
	var out []syncml.Property
	for _, el := range elements {
		out = append(out, property(el.name, "bool"))
	}
	for _, name := range []string{"received", "created", "modified"} {
		out = append(out, property(name, "dateTime"))
	}
	item := property("emailitem", "bin")
	item.Params = []syncml.PropParam{{Name: "texttype"}, {Name: "attachtype"}} // what field filters ask for (protocol.md E.3)
	return append(out, item)
}

func property(name, typ string) syncml.Property {
	return syncml.Property{Name: name, DataType: typ, MaxOccur: 1}
}

func role() syncml.Property {
	p := property("role", "chr")
	p.Values = []string{string(Inbox), string(Outbox), string(Sent), string(Draft), string(Trash)}
	return p
}
