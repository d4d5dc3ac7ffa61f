package page

import (
	"embed"
	"html/template"
	"time"
)

//go:embed static templates
var files embed.FS

// looks are the templates by page. They are read when the page is opened: an agent whose page nobody opens carries none.
type looks struct {
	pages map[string]*template.Template
}

func readLooks() (*looks, error) {
	frame, err := template.New("frame.html").Funcs(template.FuncMap{
		"clock": func(t time.Time) string { return clock(t, time.Now()) }, "iso": stamp,
		"took": took, "size": size, "octets": func(n int) int64 { return int64(n) }, "remedy": remedy, "sentence": sentence, "plural": plural, "short": short, "store": tellStore,
		"change": changeText, "from": from, "effect": effect, "ending": ending, "outcome": outcome,
	}).ParseFS(files, "templates/frame.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	l := &looks{pages: map[string]*template.Template{}}
	for i := range rooms {
		t, err := frame.Clone()
		if err == nil {
			t, err = t.ParseFS(files, "templates/"+rooms[i].file()+".html")
		}
		if err != nil {
			return nil, err
		}
		l.pages[rooms[i].Path] = t
	}
	return l, nil
}
