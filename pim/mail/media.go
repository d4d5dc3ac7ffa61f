package mail

import (
	"mime"
	"strings"
)

// media is a value with parameters: a content type or a disposition.
type media struct {
	typ    string // lower case
	params map[string]string
}

// parseMedia reads a value, and what it can of one that breaks the rules: missing quotes, doubled or empty parameters.
func parseMedia(v string) media {
	if typ, params, err := mime.ParseMediaType(v); err == nil {
		return media{typ, params}
	}
	pieces := splitOutside(v, ';')
	m := media{typ: bare(pieces[0]), params: map[string]string{}}
	for _, p := range pieces[1:] {
		key, value, ok := strings.Cut(p, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if _, known := m.params[key]; ok && key != "" && !known {
			m.params[key] = unquote(strings.TrimSpace(value))
		}
	}
	return m
}

// bare is a type without comments and garbage behind it.
func bare(v string) string {
	v, _, _ = strings.Cut(strings.TrimSpace(v), " ")
	v, _, _ = strings.Cut(v, "(")
	return strings.ToLower(v)
}

// unquote takes quotes and what stands behind them away.
func unquote(v string) string {
	if !strings.HasPrefix(v, `"`) {
		return v
	}
	var out strings.Builder
	for i := 1; i < len(v) && v[i] != '"'; i++ {
		if v[i] == '\\' && i+1 < len(v) {
			i++
		}
		out.WriteByte(v[i])
	}
	return out.String()
}

// name is what a part is called by its disposition or its type.
func name(disposition, typ media) string {
	for _, v := range []string{disposition.params["filename"], typ.params["name"]} {
		if v != "" {
			return words(v)
		}
	}
	return ""
}
