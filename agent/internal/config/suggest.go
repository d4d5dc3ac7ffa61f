package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/agnivade/levenshtein"
)

// suggestion is the known key that looks most like an unknown one, " (did you mean …?)", or nothing if none does.
func suggestion(key []string) string {
	name := strings.Join(key, ".")
	best, distance := "", 1+len(name)/3
	for _, k := range keys(reflect.TypeFor[Config](), "") {
		if d := levenshtein.ComputeDistance(name, k); d <= distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// keys lists the keys of a struct with their tables.
func keys(t reflect.Type, prefix string) (out []string) {
	for f := range t.Fields() {
		if !f.IsExported() {
			continue
		}
		name := prefix + f.Tag.Get("toml")
		out = append(out, name)
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			out = append(out, keys(inner, name+".")...)
		}
	}
	return out
}
