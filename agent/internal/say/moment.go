package say

import (
	"fmt"
	"time"
)

// How this product writes a moment of another day, and of another year.
const (
	layout     = "Mon 2 Jan 15:04"
	longLayout = "2 January 2006 15:04"
)

// Moment is Speaker.Moment in the user's language.
func Moment(t time.Time) string { return user().Moment(t) }

// Moment is a day with the time of it, as people write them.
func (s Speaker) Moment(t time.Time) string {
	if c := s.catalog(); c != nil {
		return c.moment(t)
	}
	return t.Format(layout)
}

// moment is Moment in a language. The names of days and months are words of it.
func (c *catalog) moment(t time.Time) string { return c.mention(t, t.Format("Mon")) }

// mention is moment with the day of the week as it was said: where no year is said, nobody can tell it.
func (c *catalog) mention(t time.Time, weekday string) string {
	return fmt.Sprintf(c.text("%s %d %s %s"), c.word(weekday), t.Day(), c.word(t.Format("Jan")), t.Format("15:04"))
}

func (c *catalog) longMoment(t time.Time) string {
	return fmt.Sprintf(c.text("%d %s %d %s"), t.Day(), c.word(t.Format("January")), t.Year(), t.Format("15:04"))
}

// date translates a moment that stands in a sentence.
func (c *catalog) date(s string) (said string, ok bool) {
	if t, err := time.Parse(layout, s); err == nil {
		return c.mention(t, s[:3]), true
	}
	if t, err := time.Parse(longLayout, s); err == nil {
		return c.longMoment(t), true
	}
	return s, false
}
