package dm_test

import (
	"os"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// formats are the commands of the AOSP client's tree tests that set a value, by the format that they set.
var formats = map[string]dm.Format{
	"createlf": dm.FormatFloat, "setf": dm.FormatFloat, "createld": dm.FormatDate, "setd": dm.FormatDate, "createlt": dm.FormatTime, "sett": dm.FormatTime,
}

// TestValuesOfAnotherClient judges dates, times and numbers as the AOSP client's tests do.
func TestValuesOfAnotherClient(t *testing.T) {
	script, err := os.ReadFile(pimtest.Shared(t, "corpus/dm/android-omadm/dm12/testinput12"))
	if err != nil {
		t.Fatal(err)
	}
	_, script1, _ := strings.Cut(string(script), "data type positive")
	positive, rest, _ := strings.Cut(script1, "data type negative")
	negative, after, _ := strings.Cut(rest, "\n\n\n") // the values that exist are set again after that
	created, negative2, _ := strings.Cut(after, "\n\n")
	n := checkValues(t, positive+created, true) + checkValues(t, negative+negative2, false)
	if n < 90 {
		t.Errorf("only %d values", n)
	}
}

func checkValues(t *testing.T, script string, valid bool) (n int) {
	t.Helper()
	for line := range strings.Lines(script) {
		words := strings.Fields(line)
		if len(words) != 3 || formats[words[0]] == "" {
			continue
		}
		n++
		if err := formats[words[0]].Check([]byte(words[2])); (err == nil) != valid {
			t.Errorf("%s: %v, want valid %v", strings.TrimSpace(line), err, valid)
		}
	}
	return n
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		format dm.Format
		data   string
		valid  bool
	}{
		{dm.FormatBool, "true", true}, {dm.FormatBool, "False", true}, {dm.FormatBool, "1", true}, {dm.FormatBool, "yes", false},
		{dm.FormatInt, "-12", true}, {dm.FormatInt, "", false}, {dm.FormatInt, "1.5", false}, {dm.FormatInt, "1\n", false},
		{dm.FormatNull, "", true}, {dm.FormatNull, "x", false}, {dm.FormatChr, "", true}, {dm.FormatBin, "\x00", true},
	} {
		if err := c.format.Check([]byte(c.data)); (err == nil) != c.valid {
			t.Errorf("%s %q: %v", c.format, c.data, err)
		}
	}
}
