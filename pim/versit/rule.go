package versit

import (
	"slices"
	"strconv"
	"strings"
)

// splitRules takes several rules in one value apart: each begins with a letter for its frequency.
func splitRules(s string) []string {
	var out []string
	for _, f := range strings.Fields(s) {
		first := f[0]
		begins := len(f) > 1 && f[1] >= '0' && f[1] <= '9' && (first == 'D' || first == 'W') ||
			len(f) > 2 && (strings.HasPrefix(f, "MP") || strings.HasPrefix(f, "MD") || strings.HasPrefix(f, "YM") || strings.HasPrefix(f, "YD")) && f[2] >= '0' && f[2] <= '9'
		if begins || len(out) == 0 {
			out = append(out, f)
		} else {
			out[len(out)-1] += " " + f
		}
	}
	return out
}

// kinds of rules: the old letters, the modern frequency, and what the list in the old rule is.
var kinds = []struct{ old, freq, by string }{
	{"MP", "MONTHLY", "BYDAY"}, {"MD", "MONTHLY", "BYMONTHDAY"}, {"YM", "YEARLY", "BYMONTH"}, {"YD", "YEARLY", "BYYEARDAY"},
	{"D", "DAILY", ""}, {"W", "WEEKLY", "BYDAY"},
}

// toFreq converts one old rule, e.g. "W2 MO TU #5" or "MP1 1+ 2- FR 20261231T000000Z".
func toFreq(old string) (string, bool) {
	for _, k := range kinds {
		rest, ok := strings.CutPrefix(old, k.old)
		if !ok {
			continue
		}
		fields := strings.Fields(rest)
		interval, err := strconv.Atoi(fields0(fields))
		if err != nil || interval < 1 {
			return "", false
		}
		out := []string{"FREQ=" + k.freq}
		if interval > 1 {
			out = append(out, "INTERVAL="+strconv.Itoa(interval))
		}
		end, list, ok := endAndList(fields[1:])
		if !ok {
			return "", false
		}
		if !sensible(k.old, list) {
			return "", false
		}
		if k.old == "MP" {
			list = positions(list)
		} else if k.old == "MD" {
			list = signed(list)
		}
		if len(list) > 0 && k.by != "" {
			out = append(out, k.by+"="+strings.Join(list, ","))
		}
		return strings.Join(append(out, end...), ";"), true
	}
	return "", false
}

// weekdays of rules.
var weekdays = []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}

// sensible tells whether a list has only what its kind of rule knows.
func sensible(kind string, list []string) bool {
	for _, f := range list {
		n, err := strconv.Atoi(strings.TrimRight(f, "+-"))
		number := err == nil && n > 0 && n <= 366 || f == "LD"
		weekday := slices.Contains(weekdays, f)
		switch kind {
		case "W":
			if !weekday {
				return false
			}
		case "MP":
			signs := strings.HasSuffix(f, "+") || strings.HasSuffix(f, "-")
			if !weekday && !(number && signs) {
				return false
			}
		default:
			if !number {
				return false
			}
		}
	}
	return true
}

func fields0(f []string) string {
	if len(f) == 0 {
		return ""
	}
	return f[0]
}

// endAndList tells how a rule ends: "#5" is a count, "#0" or nothing never, a time the last one. The rest is its list.
func endAndList(fields []string) (end, list []string, ok bool) {
	count := "COUNT=2" // the default of the old form
	for _, f := range fields {
		switch {
		case f[0] == '#':
			n, err := strconv.Atoi(f[1:])
			if err != nil || n < 0 {
				return nil, nil, false
			}
			if count = ""; n > 0 {
				count = "COUNT=" + f[1:]
			}
		case len(f) >= len("20261231") && f[0] >= '0' && f[0] <= '9':
			count = "UNTIL=" + f
		default:
			list = append(list, f)
		}
	}
	if count != "" {
		end = []string{count}
	}
	return end, list, true
}

// positions makes "1+ 2- MO TU" to "1MO,1TU,-2MO,-2TU".
func positions(list []string) []string {
	var pos, out []string
	fresh := true
	for _, f := range list {
		if f[len(f)-1] == '+' || f[len(f)-1] == '-' {
			if !fresh {
				pos, fresh = nil, true
			}
			pos = append(pos, signed([]string{f})...)
			continue
		}
		fresh = false
		for _, p := range pos {
			out = append(out, p+f)
		}
		if len(pos) == 0 {
			out = append(out, f)
		}
	}
	return out
}

// signed makes "2-" to "-2", and "LD" to the last day.
func signed(list []string) []string {
	var out []string
	for _, f := range list {
		switch {
		case f == "LD":
			out = append(out, "-1")
		case f[len(f)-1] == '-':
			out = append(out, "-"+f[:len(f)-1])
		default:
			out = append(out, strings.TrimSuffix(f, "+"))
		}
	}
	return out
}

// fromFreq converts a modern rule, if the old form can say it.
func fromFreq(rule string) (string, bool) {
	parts := map[string]string{}
	for p := range strings.SplitSeq(strings.ToUpper(rule), ";") {
		k, v, _ := strings.Cut(p, "=")
		parts[k] = v
	}
	for k := range parts {
		if !slices.Contains([]string{"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYYEARDAY", "WKST"}, k) {
			return "", false
		}
	}
	letters, list, ok := oldKind(parts)
	if !ok {
		return "", false
	}
	if parts["INTERVAL"] == "" {
		parts["INTERVAL"] = "1"
	}
	out := append([]string{letters + parts["INTERVAL"]}, list...)
	switch {
	case parts["COUNT"] != "":
		out = append(out, "#"+parts["COUNT"])
	case parts["UNTIL"] != "":
		out = append(out, parts["UNTIL"])
	default:
		out = append(out, "#0")
	}
	return strings.Join(out, " "), true
}

// oldKind are the letters and the list of a rule.
func oldKind(parts map[string]string) (letters string, list []string, ok bool) {
	by := func(name string) []string {
		if parts[name] == "" {
			return nil
		}
		return strings.Split(parts[name], ",")
	}
	var used []string
	switch freq := parts["FREQ"]; {
	case freq == "DAILY":
		letters = "D"
	case freq == "WEEKLY":
		letters, list, used = "W", by("BYDAY"), []string{"BYDAY"}
	case freq == "MONTHLY" && parts["BYDAY"] != "":
		letters, used = "MP", []string{"BYDAY"}
		if list, ok = oldPositions(by("BYDAY")); !ok {
			return "", nil, false
		}
	case freq == "MONTHLY":
		letters, list, used = "MD", oldSigned(by("BYMONTHDAY")), []string{"BYMONTHDAY"}
	case freq == "YEARLY" && parts["BYYEARDAY"] != "":
		letters, list, used = "YD", by("BYYEARDAY"), []string{"BYYEARDAY"}
	case freq == "YEARLY":
		letters, list, used = "YM", by("BYMONTH"), []string{"BYMONTH"}
	default:
		return "", nil, false
	}
	for _, name := range []string{"BYDAY", "BYMONTHDAY", "BYMONTH", "BYYEARDAY"} {
		if parts[name] != "" && !slices.Contains(used, name) {
			return "", nil, false
		}
	}
	return letters, list, true
}

// oldPositions makes "1MO,-1FR" to "1+ MO 1- FR".
func oldPositions(days []string) ([]string, bool) {
	var out []string
	for _, d := range days {
		if len(d) < 3 {
			return nil, false // every such day of the month: the old form cannot say that
		}
		n, day := d[:len(d)-2], d[len(d)-2:]
		out = append(out, oldSigned([]string{n})[0], day)
	}
	return out, true
}

func oldSigned(list []string) []string {
	var out []string
	for _, n := range list {
		if rest, minus := strings.CutPrefix(n, "-"); minus {
			out = append(out, rest+"-")
		} else {
			out = append(out, strings.TrimPrefix(n, "+")+"+")
		}
	}
	return out
}
