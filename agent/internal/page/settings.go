package page

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	"maragu.dev/gomponents"
	"maragu.dev/gomponents/html"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// settings are all, in groups.
type settings []group

// group is settings whose keys begin alike.
type group struct {
	Name     string
	Settings []control.Setting
}

func (h *house) settings(ctx context.Context, _ *view) (body, error) {
	list, err := h.agent.Settings(ctx)
	var fixed *control.Error
	if errors.As(err, &fixed) {
		return settings{}, nil
	}
	var out settings
	for _, s := range list {
		name, _, _ := strings.Cut(s.Key, ".")
		if len(out) == 0 || out[len(out)-1].Name != name {
			out = append(out, group{Name: name})
		}
		g := &out[len(out)-1]
		g.Settings = append(g.Settings, s)
	}
	return orNothing(out, err)
}

func (l settings) draw(v *view) node {
	return all(
		paragraph(v.Text("What the agent is set to do, and who has set it. A change is in use while the agent runs, and loses nothing.")),
		each(l, func(_ int, g *group) node { return section("g-"+g.Name, g.Name, each(g.Settings, v.setting)) }),
		when(len(l) == 0, paragraph(v.Text("The settings of this agent are fixed by the program that runs it."))))
}

func (v *view) setting(_ int, s *control.Setting) node {
	change := v.change(s)
	if s.Locked {
		change = html.P(symbol("", "⚿"), text(" ", v.Text("Locked by your administrator; only he can change it.")))
	}
	return html.Div(html.Class("setting"), html.H3(code(s.Key)), paragraph(v.Sentence(s.Help)),
		html.P(html.Strong(html.Class("value"), text(cmp.Or(s.Value, v.Text("(empty)")))), text(" "), html.Span(html.Class("origin"), text(v.from(*s)), v.since(s))), change)
}

// since is when a value was set.
func (v voice) since(s *control.Setting) node {
	if s.Set == nil {
		return nil
	}
	return all(text(", "), v.moment(*s.Set))
}

func (v *view) change(s *control.Setting) node {
	return html.Details(html.Summary(text(v.Text("Change")), unseen(" "+s.Key)),
		v.form("settings", html.Class("inline"), hidden("key", s.Key),
			html.Label(html.For("v-"+s.Key), text(v.Text("New value"))), text(" "), field(s), text(" "), html.Button(text(v.Text("Change"))), text(" "),
			when(s.Origin == "user", html.Button(html.Name("reset"), html.Value("yes"), text(v.Text("Take back"))))),
		html.P(html.Class("origin"), text(v.Text("A change %s.", v.effect(s.Effect))), when(s.Default != "", text(" ", v.Text("Built in is %s.", s.Default)))))
}

// field takes a new value.
func field(s *control.Setting) node {
	switch {
	case s.Type == "bool":
		return choice(s, []string{"true", "false"}, strconv.FormatBool(s.Value == "true"))
	case len(s.OneOf) > 0:
		return choice(s, s.OneOf, s.Value)
	}
	return html.Input(html.Type("text"), html.ID("v-"+s.Key), html.Name("value"), html.Value(s.Value), asTyped(),
		when(s.Type == "integer", gomponents.Attr("inputmode", "numeric")))
}

func choice(s *control.Setting, list []string, now string) node {
	return html.Select(html.ID("v-"+s.Key), html.Name("value"),
		each(list, func(_ int, one *string) node { return html.Option(when(*one == now, html.Selected()), text(*one)) }))
}
