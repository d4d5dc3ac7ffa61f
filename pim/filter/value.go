package filter

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold is a text as it is compared: without case, with single blanks, and composed (a Mac writes é as two characters).
func fold(s string) string {
	s = strings.Join(strings.Fields(strings.ToLower(s)), " ")
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return norm.NFC.String(s)
		}
	}
	return s
}

// units of sizes.
var units = []struct {
	letter string
	octets int64
}{{"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}}

// maxSize bounds sizes: no item is larger than pim.MaxItemSize, and a bound beyond it does no harm.
const maxSize = 1 << 40

// readSize reads octets, as 4096, 100k or 5m; a b behind the unit does not matter.
func readSize(s string) (n int64, problem string) {
	number := strings.TrimSuffix(strings.ToLower(s), "b")
	factor := int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(number, u.letter); ok {
			number, factor = rest, u.octets
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > maxSize/factor || strings.HasPrefix(number, "+") {
		return 0, fmt.Sprintf("%q is no size; write octets or a size like 100k or 5m", s)
	}
	return n * factor, ""
}

// printSize writes a size with the largest unit that leaves no rest.
func printSize(n int64) string {
	for _, u := range units {
		if n > 0 && n%u.octets == 0 {
			return strconv.FormatInt(n/u.octets, 10) + u.letter
		}
	}
	return strconv.FormatInt(n, 10)
}

// hours of the units of relative times. A month has 30 days and a year 365: so a window rolls evenly.
var hours = map[byte]int64{'h': 1, 'd': 24, 'w': 7 * 24, 'm': 30 * 24, 'y': 365 * 24}

// maxHours bounds relative times to a hundred years.
const maxHours = 100 * 365 * 24

const day = 24 * 60 * 60 // seconds

// readTime reads a time: 14d is so long ago and +14d so far ahead, 2026-11-25 is a day's beginning in UTC, and 2026-11-25T10:00:00Z a moment.
// ahead turns 14d around, for fields that look ahead.
func readTime(s string, ahead bool) (v value, problem string) {
	if v, ok := relative(s, ahead); ok {
		return v, ""
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "20060102", stamp} {
		if t, err := time.Parse(layout, strings.ToUpper(s)); err == nil {
			if v, ok := absolute(t); ok {
				return v, ""
			}
		}
	}
	return v, fmt.Sprintf("%q is no time; write a span like 14d, 2w, 6m, 1y or 12h, or a day like 2026-11-25", s)
}

// stamp is how times stand in calendars and in the filters of OMA DS.
const stamp = "20060102T150405Z"

func relative(s string, ahead bool) (v value, ok bool) {
	s = strings.ToLower(s)
	if ahead {
		s = strings.TrimPrefix(s, "+") // ahead is what it means anyway
	}
	digits := strings.TrimPrefix(s, "+")
	if len(digits) < 2 {
		return v, false
	}
	unit := digits[len(digits)-1]
	n, err := strconv.ParseUint(digits[:len(digits)-1], 10, 32)
	if err != nil || hours[unit] == 0 || int64(n)*hours[unit] > maxHours {
		return v, false
	}
	v = value{text: strconv.FormatUint(n, 10) + string(unit), n: int64(n) * hours[unit] * 3600, rolls: true}
	if ahead || digits != s {
		v.n = -v.n
	}
	if digits != s {
		v.text = "+" + v.text
	}
	return v, true
}

// absolute is a moment as a value. Its text is the day if it is the beginning of one.
func absolute(t time.Time) (v value, ok bool) {
	t = t.UTC().Truncate(time.Second)
	if t.Year() < 1 || t.Year() > 9999 {
		return v, false
	}
	v = value{text: t.Format(time.RFC3339), n: t.Unix()}
	if v.n%day == 0 {
		v.text = t.Format(time.DateOnly)
	}
	return v, true
}
