package syncml_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// Pieces of WBXML documents.
const (
	start   = "\x02\xa4\x01\x6a\x00"     // SyncML 1.2, UTF-8, no string table
	begin   = start + "\x6d\x6c\x01\x6b" // <SyncML><SyncHdr></SyncHdr><SyncBody>
	opaque  = "\xc3"
	huge    = "\x8f\xff\xff\xff\x7f" // 4 GiB - 1
	tooHuge = "\x9f\xff\xff\xff\x7f" // more than 32 bits
)

// withTable is a document with a string table.
func withTable(table, body string) string {
	return "\x03\xa4\x01\x6a" + string(length(len(table))) + table + body
}

// length is a multi-byte integer.
func length(n int) []byte {
	out := []byte{byte(n & 0x7F)}
	for n >>= 7; n > 0; n >>= 7 {
		out = append([]byte{byte(n&0x7F | 0x80)}, out...)
	}
	return out
}

// TestHostileWBXMLIsRefusedWithReasonAndOffset has one document for each way to lie.
func TestHostileWBXMLIsRefusedWithReasonAndOffset(t *testing.T) {
	for name, c := range map[string]struct{ doc, reason string }{
		"empty":                       {"", "it ends early"},
		"unknown version":             {"\x0b\xa4\x01\x6a\x00\x6d", "version octet 0x0b"},
		"unknown public id":           {"\x03\x0b\x6a\x00\x6d", "public id 0xb is no SyncML"},
		"unknown textual public id":   {"\x03\x00\x00\x6a\x09-//WAP//X\x6d", `public id "-//WAP//X" is no SyncML`},
		"public id outside the table": {"\x03\x00\x05\x6a\x03abc\x6d", "string table index 5 is outside of a table of 3 octets"},
		"unknown charset":             {"\x03\xa4\x01\x07\x00\x6d", "charset 7 is neither UTF-8 nor Latin-1"},
		"charset UTF-16":              {"\x03\xa4\x01\x87\x77\x00\x6d", "charset 1015"},
		"string table of 4 GB":        {"\x03\xa4\x01\x6a" + huge, "string table of 4294967295 octets is longer than the document"},
		"number of 33 bits":           {"\x03\xa4\x01\x6a" + tooHuge, "a number is larger than 32 bits"},
		"number without end":          {"\x03\xa4\x01\x6a\x80\x80\x80\x80\x80\x80", "a number is longer than five octets"},
		"opaque data of 4 GB":         {begin + opaque + huge, "opaque data of 4294967295 octets is longer than the document"},
		"attribute of 4 GB":           {begin + "\xc5" + opaque + huge, "opaque data of 4294967295 octets is longer than the document"},
		"string without end":          {begin + "\x03abc", "a string has no end"},
		"string outside the table":    {withTable("abc", "\x6d\x6c\x01\x6b\x83\x03"), "string table index 3 is outside of a table of 3 octets"},
		"string from no table":        {begin + "\x83\x00", "string table index 0 is outside of a table of 0 octets"},
		"name outside the table":      {withTable("abc", "\x6d\x44\x84\x00"), "string table index 512 is outside"},
		"name that is none":           {withTable("a b", "\x6d\x44\x00"), `"a b" is no name`},
		"empty name":                  {withTable("\x00", "\x6d\x44\x00"), `"" is no name`},
		"table used too often":        {withTable(strings.Repeat("x", 1000), "\x6d\x6c\x01\x6b"+strings.Repeat("\x83\x00", 1000)), "used too often"},
		"entity that is no character": {begin + "\x02\x83\xb0\x00", "entity 55296 is no character"},
		"entity above Unicode":        {begin + "\x02" + huge, "entity 4294967295 is no character"},
		"deep":                        {start + strings.Repeat("\x6d", 100), "nested deeper than 32"},
		"END too much":                {start + "\x01", "END without an element"},
		"text before the root":        {start + "\x03abc\x00", "text outside of the root"},
		"code page switch at the end": {begin + "\x00", "it ends early"},
		"no header":                   {start + "\x6d\x6b\x12\x01\x01", "no SyncHdr"},
		"two headers":                 {start + "\x6d\x2c\x2c", "two SyncHdr"},
		"another root":                {start + "\x6b\x01", "its root is SyncBody"},
	} {
		_, err := syncml.Decode([]byte(c.doc), syncml.WBXML)
		if err == nil || !strings.Contains(err.Error(), c.reason) || !strings.Contains(err.Error(), "offset") {
			t.Errorf("%s: %v, want %q and an offset", name, err, c.reason)
		}
	}
}

// message wraps what hostile XML hides in a body.
func message(body string) string {
	return "<SyncML><SyncHdr/><SyncBody><Add><Item><Data>" + body + "</Data></Item></Add></SyncBody></SyncML>"
}

// laughs is a billion laughs: each entity is ten of the one before.
func laughs() string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE SyncML [<!ENTITY l0 \"ha\">")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "<!ENTITY l%d \"%s\">", i, strings.Repeat(fmt.Sprintf("&l%d;", i-1), 10))
	}
	return b.String() + "]>" + message("&l9;")
}

func TestHostileXMLIsRefusedWithReasonAndOffset(t *testing.T) {
	const declares = "a document type with declarations (entities, elements) is not read"
	for name, c := range map[string]struct{ doc, reason string }{
		"empty":                     {"", "it ends early"},
		"billion laughs":            {laughs(), declares},
		"DTD":                       {"<!DOCTYPE SyncML [<!ELEMENT SyncML ANY>]>" + message(""), declares},
		"external entity":           {`<!DOCTYPE SyncML [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + message("&x;"), declares},
		"external parameter entity": {`<!DOCTYPE SyncML [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]>` + message(""), declares},
		"entity without DTD":        {message("&x;"), "the entity &x; before it is none of XML itself"},
		"entity in a value":         {`<SyncML xmlns="&x;">`, "the entity &x; before it is none of XML itself"},
		"bare ampersand":            {message("Tom & Jerry"), "an ampersand before it is not escaped"},
		"DTD in the middle":         {message("<!DOCTYPE x>"), "a declaration has no place here"},
		"declaration":               {"<!ENTITY x 'y'>" + message(""), "a declaration has no place here"},
		"NUL":                       {message("a\x00b"), "a character before it is none of XML"},
		"reference to NUL":          {message("&#0;"), "the entity &#0; before it is none of XML itself"},
		"reference above Unicode":   {message("&#x110000;"), "is none of XML itself"},
		"reference to a surrogate":  {message("&#xD800;"), "is none of XML itself"},
		"UTF-16":                    {"\xff\xfe<\x00S\x00", "its charset UTF-16 is neither UTF-8 nor Latin-1"},
		"unknown charset":           {`<?xml version="1.0" encoding="EBCDIC-US"?>` + message(""), `its charset "EBCDIC-US" is neither UTF-8 nor Latin-1`},
		"deep":                      {strings.Repeat("<SyncML>", 100), "nested deeper than 32"},
		"open comment":              {message("<!-- "), "a comment has no end"},
		"open CDATA":                {message("<![CDATA[ "), "a CDATA section has no end"},
		"open instruction":          {"<?xml", "a processing instruction has no end"},
		"open document type":        {"<!DOCTYPE SyncML", "a document type has no end"},
		"open tag":                  {"<SyncML ", "a start tag has no end"},
		"crossed tags":              {"<SyncML><SyncHdr></SyncML>", "</SyncML> closes nothing"},
		"name that is none":         {"<1SyncML/>", "is no name"},
		"attribute without value":   {"<SyncML xmlns/>", "an attribute has no quoted value"},
		"many namespaces":           {"<SyncML " + strings.Repeat("xmlns:a='b' ", 100) + ">", "more than 64 namespaces are declared"},
		"another root":              {"<DevInf/>", "its root is DevInf, not SyncML"},
	} {
		_, err := syncml.Decode([]byte(c.doc), syncml.XML)
		if err == nil || !strings.Contains(err.Error(), c.reason) || !strings.Contains(err.Error(), "offset") {
			t.Errorf("%s: %v, want %q and an offset", name, err, c.reason)
		}
	}
}

// TestDocumentTypesThatDeclareNothingArePassedOver: old peers name the DTD (protocol.md A.4).
func TestDocumentTypesThatDeclareNothingArePassedOver(t *testing.T) {
	doc := "\ufeff<?xml version='1.0' encoding='ISO-8859-1'?><!DOCTYPE SyncML PUBLIC \"-//SYNCML//DTD SyncML 1.1//EN\" \"http://www.syncml.org/x.dtd\">" + message("M\xfcller")
	m, err := syncml.Decode([]byte(doc), syncml.XML)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(m.Commands[0].(*syncml.Change).Items[0].Data.Bytes); got != "Müller" {
		t.Errorf("the text is %q", got)
	}
}

// matryoshka is a document in a document in a document …, each with broken ends.
func matryoshka(size int, end string) []byte {
	var doc []byte
	for len(doc) < size {
		inner := append([]byte(begin+opaque), length(len(doc))...)
		doc = append(append(inner, doc...), end...)
	}
	return doc
}

const smallMessage, mostMemory = 1024, 1 << 20

// cost is how many octets fn allocates.
func cost(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// uses are what this package does to a document; the answers do not matter here.
var uses = []func(doc []byte){
	func(doc []byte) {
		if m, err := syncml.Decode(doc, syncml.Sniff(doc)); err == nil {
			_, _ = syncml.Encode(m, syncml.XML)
		}
	},
	func(doc []byte) { _, _ = syncml.DecodeDevInf(doc) },
	func(doc []byte) { _, _ = syncml.ToXML(doc) },
	func(doc []byte) { _, _ = syncml.ToWBXML(doc) },
}

// worst is the cost of the use that costs most.
func worst(doc []byte) (n uint64) {
	for _, use := range uses {
		n = max(n, cost(func() { use(doc) }))
	}
	return n
}

// TestSmallMessagesCostLittleMemory fills a message of 1 KB with each tag in turn, at each place where tags mean something.
func TestSmallMessagesCostLittleMemory(t *testing.T) {
	most, where := uint64(0), ""
	try := func(name string, doc []byte) {
		if n := worst(doc[:min(len(doc), smallMessage)]); n > most {
			most, where = n, name
		}
	}
	for name, place := range places {
		for tag := 0x05; tag < 0x40; tag++ {
			for _, fill := range []string{string(rune(tag)), string([]byte{byte(tag | 0x40), 0x01})} {
				closed := []byte(place + strings.Repeat(fill, (smallMessage-len(place)-40)/len(fill)) + strings.Repeat("\x01", 40))
				try(fmt.Sprintf("%s, %x", name, fill), closed)
			}
		}
	}
	for name, doc := range map[string][]byte{
		"entities":      []byte(begin + "\x45\x54\x4f" + strings.Repeat("\x02\x41", 500)),
		"text in nodes": []byte(begin + "\x45\x54\x4f\x76" + strings.Repeat("\x02\x41", 500)),
		"strings":       []byte(withTable(strings.Repeat("x", 500), "\x6d\x6c\x01\x6b\x45\x54\x4f"+strings.Repeat("\x83\x00", 250))),
		"names":         []byte(withTable(strings.Repeat("x", 120), "\x6d\x6c\x01\x6b\x45\x54\x4f"+strings.Repeat("\x04\x00", 440))),
		"matryoshka":    matryoshka(smallMessage, "\x01\x01"),
		"broken ones":   matryoshka(smallMessage, "\x83\x05"),
		"laughs":        []byte(laughs()),
		"XML elements":  []byte("<SyncML><SyncHdr/><SyncBody>" + strings.Repeat("<a/>", 250)),
		"XML nodes":     []byte("<SyncML><SyncHdr/><SyncBody><Add><Item><Data>" + strings.Repeat("<a/>", 240)),
		"XML comments":  []byte("<SyncML><SyncHdr/><SyncBody><Add><Item><Data>" + strings.Repeat("a<!---->", 125)),
	} {
		try(name, doc)
	}
	t.Logf("the worst one costs %d octets: %s", most, where)
	if most > mostMemory {
		t.Errorf("a message of %d octets costs %d (%s), want at most %d", smallMessage, most, where, mostMemory)
	}
}

// places are documents up to a place where elements are read.
var places = map[string]string{
	"body":         begin,
	"Sync":         begin + "\x6a",
	"Add":          begin + "\x45",
	"Item":         begin + "\x45\x54",
	"Data":         begin + "\x45\x54\x4f",
	"Node":         begin + "\x45\x54\x4f\x76",
	"Location":     begin + "\x45\x54\x6e",
	"Filter":       begin + "\x45\x54\x6e\x76",
	"Meta":         begin + "\x45\x5a\x00\x01",
	"Mem":          begin + "\x45\x5a\x00\x01\x4d",
	"Cred":         begin + "\x45\x4e",
	"Status":       begin + "\x69",
	"Map":          begin + "\x58",
	"MapItem":      begin + "\x58\x59",
	"header":       start + "\x6d\x6c",
	"unknown page": begin + "\x00\x07",
	"DevInf":       "\x02\xa4\x03\x6a\x00\x4a",
	"DataStore":    "\x02\xa4\x03\x6a\x00\x4a\x47",
	"CTCap":        "\x02\xa4\x03\x6a\x00\x4a\x47\x45",
	"Property":     "\x02\xa4\x03\x6a\x00\x4a\x47\x45\x6b",
	"old CTCap":    "\x02\x9f\x54\x6a\x00\x4a\x45\x46\x03a\x00\x01",
	"DDF":          "\x02\x00\x00\x6a\x1a-//OMA//DTD-DM-DDF 1.2//EN\x00\x02\x60",
	"after Data":   begin + "\x45\x54\x4f\x01",
	"many headers": start + "\x6d",
}

// TestLargeHostileMessagesEnd: what takes quadratic time or memory does not end here, or costs more than its length allows.
func TestLargeHostileMessagesEnd(t *testing.T) {
	const size = 1 << 20
	for name, doc := range map[string][]byte{
		"entities in a node":     []byte(begin + "\x45\x54\x4f\x76" + strings.Repeat("\x02\x41", size/2)),
		"entities in data":       []byte(begin + "\x45\x54\x4f" + strings.Repeat("\x02\x41", size/2)),
		"strings of the table":   []byte(withTable(strings.Repeat("x", size/2), "\x6d\x6c\x01\x6b\x45\x54\x4f"+strings.Repeat("\x83\x00", size/4))),
		"names of the table":     []byte(withTable(strings.Repeat("x", size/2), "\x6d\x6c\x01\x6b\x45\x54\x4f"+strings.Repeat("\x04\x00", size/4))),
		"matryoshka":             matryoshka(size/16, "\x83\x05"),
		"XML: less-than signs":   []byte("\r" + strings.Repeat("<", size)),
		"XML: ampersands":        []byte("<SyncML>" + strings.Repeat("&", size)),
		"XML: references":        []byte(message(strings.Repeat("&#65;", size/5))),
		"XML: comments":          []byte(message("<a>" + strings.Repeat("a<!---->", size/8) + "</a>")),
		"XML: open comments":     []byte(strings.Repeat("<!--", size/4)),
		"XML: document types":    []byte(strings.Repeat("<!DOCTYPE x>", size/12)),
		"XML: attributes":        []byte("<SyncML " + strings.Repeat("a='b' ", size/6)),
		"XML: namespaces":        []byte("<SyncML " + strings.Repeat("xmlns:a='b' ", 60) + ">" + strings.Repeat("<b/>", size/4)),
		"XML: carriage returns":  []byte(message(strings.Repeat("\r", size))),
		"XML: a name of 4 MB":    []byte("<" + strings.Repeat("a", size) + "/>"),
		"XML: many names":        manyNames(size),
		"XML: ends of CDATA":     []byte(message("<![CDATA[" + strings.Repeat("]]", size/2) + "]]>")),
		"WBXML: tags":            append([]byte(begin), bytes.Repeat([]byte{0x05}, size)...),
		"WBXML: page switches":   append([]byte(begin), bytes.Repeat([]byte{0x00, 0x01}, size/2)...),
		"WBXML: attribute lists": append([]byte(begin), bytes.Repeat([]byte{0x85, 0x01}, size/2)...),
	} {
		if n := worst(doc); n > 1024*uint64(len(doc)) {
			t.Errorf("%s: %d octets cost %d", name, len(doc), n)
		}
	}
}

func TestMessagesOfTooManyElementsAreRefused(t *testing.T) {
	_, err := syncml.Decode([]byte(begin+strings.Repeat("\x05", 1<<19)), syncml.WBXML)
	if err == nil || !strings.Contains(err.Error(), "more than 524288 elements (offset ") {
		t.Error(err)
	}
}

func manyNames(size int) []byte {
	out := []byte("<SyncML>")
	for i := uint32(0); len(out) < size; i++ {
		out = fmt.Appendf(out, "<a%x/>", binary.BigEndian.AppendUint32(nil, i))
	}
	return out
}
