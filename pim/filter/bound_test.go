package filter_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// TestHostileInputIsReadInTime: nothing takes more than linear time by much.
func TestHostileInputIsReadInTime(t *testing.T) {
	start := time.Now()
	for _, text := range []string{
		strings.Repeat("from:a ", 2300), strings.Repeat("-flag:a or since:1d ", 800) + "or from:x", "from:" + strings.Repeat("a,", 8000) + "a",
		strings.Repeat("a", 16000) + ":x", strings.Repeat(`"`, 16000), strings.Repeat("(", 16000), `text:"` + strings.Repeat(`\`, 16000),
	} {
		if f, err := filter.Parse(text); err == nil {
			f.Match(samples[pim.Mail], pim.Mail, now)
			f.NextChange(samples[pim.Mail], pim.Mail, now)
			_ = f.String()
		}
		_, _ = filter.FromCGI(text, pim.Contacts)
	}
	var distinct strings.Builder
	for i := range 2000 {
		distinct.WriteString("FN&iCON;" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + "|")
	}
	_, _ = filter.FromCGI(distinct.String()[:16000], pim.Contacts)
	for kind, body := range map[pim.Kind]string{
		pim.Mail: "From: a@b\nSubject: x\n" + strings.Repeat(" y\n", 80000), pim.Contacts: "BEGIN:VCARD\n" + strings.Repeat("N:;\n", 50000),
		pim.Calendar: strings.Repeat("BEGIN:VEVENT\nDTSTART:20260101\nRRULE:FREQ=DAILY;COUNT=99999\n", 5000),
		pim.Tasks:    "BEGIN:VTODO\nRDATE:" + strings.Repeat("20260101,", 50000),
	} {
		filter.FactsOf(pim.Item{Body: []byte(body)}, kind)
	}
	nested := "From: a@b\nContent-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\nContent-Type: multipart/mixed; boundary=b\n\n", 50000)
	filter.FactsOf(pim.Item{Body: []byte(nested)}, pim.Mail)
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("it took %s", d)
	}
	t.Log(time.Since(start))
}
