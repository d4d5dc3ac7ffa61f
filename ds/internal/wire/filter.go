package wire

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// FilterCGI is the type of the standard's expressions.
const FilterCGI = "syncml:filtertype-cgi"

// filterPrefix begins the EMI in which our ends tell what the standard's expressions cannot say: relative times, what is wanted for a
// journey. Others ignore it.
const filterPrefix = "x-alwayson-filter;"

// Filter is what a device wants of a datastore, as our two ends tell each other. The texts are in the language of package filter.
type Filter struct {
	Text   string
	Travel string // wanted besides until Until (M9)
	Until  time.Time
	// Once is a filter for one exchange that is not remembered.
	Once bool
	// Preview asks what the filter would change and changes nothing; the answer has Counts (F13).
	Preview bool
	Counts  Counts
	// LUID asks for one item whole (protocol.md E.3); the rest does not count then.
	LUID string
}

// Counts is what a filter would do on a device: items that come, are sent again, and leave.
type Counts struct{ Come, Change, Leave int }

// Record is f as it stands in the expression of our own type: one line for each part.
func (f Filter) Record() string {
	var b strings.Builder
	b.WriteString("filter " + f.Text + "\n")
	if f.Travel != "" {
		b.WriteString("travel " + f.Until.UTC().Format(time.RFC3339) + " " + f.Travel + "\n")
	}
	if f.Once {
		b.WriteString("once\n")
	}
	if f.Preview {
		fmt.Fprintf(&b, "preview %d %d %d\n", f.Counts.Come, f.Counts.Change, f.Counts.Leave)
	}
	if f.LUID != "" {
		b.WriteString("luid " + f.LUID + "\n")
	}
	return b.String()
}

// ParseFilter reads what Record wrote. Lines of a later version are passed over.
func ParseFilter(record string) (f Filter, err error) {
	for line := range strings.Lines(record) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch key {
		case "filter":
			f.Text = value
		case "travel":
			until, text, _ := strings.Cut(value, " ")
			if f.Until, err = time.Parse(time.RFC3339, until); err != nil {
				return f, fmt.Errorf("cannot read filter: %w", err)
			}
			f.Travel = text
		case "once":
			f.Once = true
		case "preview":
			f.Preview = true
			if _, err := fmt.Sscan(value, &f.Counts.Come, &f.Counts.Change, &f.Counts.Leave); err != nil {
				return f, fmt.Errorf("cannot read filter: %w", err)
			}
		case "luid":
			f.LUID = value
		}
	}
	return f, nil
}

// EMI is f for the meta information of a filter.
func (f Filter) EMI() string { return filterPrefix + url.QueryEscape(f.Record()) }

// FindFilter is what our other end says with a filter; not ok if it says nothing.
func FindFilter(e *syncml.Filter) (f Filter, ok bool) {
	if e == nil {
		return f, false
	}
	for _, emi := range e.Meta.EMI {
		escaped, ours := strings.CutPrefix(emi, filterPrefix)
		record, err := url.QueryUnescape(escaped)
		if !ours || err != nil {
			continue
		}
		f, err = ParseFilter(record)
		return f, err == nil
	}
	return f, false
}
