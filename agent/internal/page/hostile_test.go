package page

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// hostile are texts that people put into names, items and messages so that they are taken for more than texts.
var hostile = []string{
	`<script>alert(1)</script>`,
	`</script><script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`" onmouseover="alert(1)" x="`,
	`' onmouseover='alert(1)' x='`,
	"` onmouseover=`alert(1)` x=`",
	`</title></textarea></pre></option><svg onload=alert(1)>`,
	`<!--`, `-->`, `]]>`, `<![CDATA[`, `&lt;script&gt;`, `&#34; onload=`, "\x00<\x00script>", "\n<b>\r\n", "\xff\xfe<b>",
	`javascript:alert(1)`, `JaVaScRiPt:alert(1)`, "java\tscript:alert(1)", `data:text/html,<script>alert(1)</script>`, `//evil.example/`, `\\evil.example\`, `https://evil.example/`,
	here, there + here + yonder,
}

// known is what the rooms show, with a text in each place where there is one.
func known(by voice, word string) map[string]body {
	lines := made[contradictions](word)
	lines[0].Lines = made[[]pair](word)
	set := made[settings](word)
	set[0].Settings[0].Locked = false
	set[1].Settings[0].Locked, set[1].Settings[0].OneOf = false, nil
	answered := made[filters](word)
	answered[0].Refused = ""
	status := made[control.Status](word)
	return map[string]body{"": &overview{Known: true, Causes: by.causes(&status, 7), Recent: made[[]control.Exchange](word)}, "activity": new(made[activity](word)), "waiting": new(made[waiting](word)), "conflicts": lines, "filters": answered,
		"settings": set, "history": made[history](word), "messages": made[messages](word), "doctor": made[findings](word)}
}

func made[T any](word string) (out T) {
	fill(reflect.ValueOf(&out).Elem(), word)
	return out
}

// fill leaves nothing empty.
func fill(v reflect.Value, word string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(word)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), word)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), word)
		fill(v.Index(1), word)
	case reflect.Struct:
		if t, ok := v.Addr().Interface().(*time.Time); ok {
			*t = time.Unix(1700000000, 0)
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), word)
			}
		}
	}
}

// drawn is a room in which everything that can be a text is the same one.
func drawn(t *testing.T, by voice, r *room, word string) string {
	t.Helper()
	v := &view{voice: by, Rooms: rooms, Base: "/base/", Room: r, Form: "form", Note: &note{Text: word}, Status: made[control.Status](word), Conflicts: 7, Body: known(by, word)[r.Path]}
	if v.Body == nil {
		t.Fatalf("nothing is known of %q", r.Path)
	}
	v.Status.Problem, v.Status.State, v.Status.AlwaysOn = "", "idle", true
	v.Look = v.tellState(&v.Status, v.Conflicts)
	var out strings.Builder
	if err := v.frame().Render(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// skeleton is what a browser makes of a page, without the texts: elements, the names of their attributes, and where they lead.
func skeleton(t *testing.T, page string) (out []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		switch n.Type {
		case html.ElementNode:
			out = append(out, n.Data)
		case html.CommentNode:
			t.Errorf("a comment: %q", n.Data)
		}
		for _, a := range n.Attr {
			out = append(out, n.Data+" "+a.Key)
			switch a.Key {
			case "href", "src", "action", "formaction":
				out = append(out, a.Val)
			}
			checkAttribute(t, n, a)
		}
	}
	return out
}

func checkAttribute(t *testing.T, n *html.Node, a html.Attribute) {
	t.Helper()
	switch a.Key {
	case "href", "src", "action", "formaction":
		if a.Val != "#main" && (!strings.HasPrefix(a.Val, "/base/") || strings.Contains(a.Val, `\`)) {
			t.Errorf("%s leads to %q", n.Data, a.Val)
		}
	case "style", "srcdoc", "http-equiv", "target":
		t.Errorf("%s has a %s", n.Data, a.Key)
	}
	if strings.HasPrefix(a.Key, "on") {
		t.Errorf("%s has a program in %s", n.Data, a.Key)
	}
}

// TestTextsStayTexts: whatever stands in an item, a name or a message, a browser sees the same page, with other words.
func TestTextsStayTexts(t *testing.T) {
	for i := range rooms {
		want := skeleton(t, drawn(t, english, &rooms[i], "harmless"))
		for _, word := range hostile {
			for _, by := range []voice{english, german} {
				if diff := cmp.Diff(want, skeleton(t, drawn(t, by, &rooms[i], word))); diff != "" {
					t.Errorf("%s with %q in %q becomes another page:\n%s", rooms[i].Path, word, by.Language(), diff)
				}
			}
		}
	}
}

// TestNoProgramStandsOnAPage: the only one is a file of ours, so that no text is ever inside one.
func TestNoProgramStandsOnAPage(t *testing.T) {
	for i := range rooms {
		page := drawn(t, english, &rooms[i], "harmless")
		if n := strings.Count(page, "<script"); n != 1 || !strings.Contains(page, `<script src="/base/static/live.js" defer></script>`) || strings.Contains(page, "<style") {
			t.Errorf("%s: %d programs in\n%s", rooms[i].Path, n, page)
		}
	}
}

// TestAddressesAreHere: also one that is made of a text leads nowhere else.
func TestAddressesAreHere(t *testing.T) {
	v := &view{Base: "/base/"}
	for _, word := range append(hostile, "", "conflicts", "history/undo", "/", "///x") {
		var page strings.Builder
		if err := v.to(word, text("x")).Render(&page); err != nil {
			t.Fatal(err)
		}
		skeleton(t, page.String())
	}
	if got := v.local("history/undo"); got != "/base/history/undo" {
		t.Error(got)
	}
}
