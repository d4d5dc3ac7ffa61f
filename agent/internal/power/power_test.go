package power

import (
	"strings"
	"testing"
	"testing/fstest"
)

// sysfs makes one of lines "file=content".
func sysfs(lines ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for _, line := range lines {
		name, text, _ := strings.Cut(line, "=")
		if !strings.Contains(name, "platform_profile") {
			name = "class/power_supply/" + name
		}
		out[name] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	return out
}

func TestWhatTheSystemTells(t *testing.T) {
	battery := []string{"BAT0/type=Battery", "BAT0/status=Discharging", "BAT0/capacity=40", "AC/type=Mains", "AC/online=0"}
	for name, c := range map[string]struct {
		sys  fstest.MapFS
		want Facts
	}{
		"nothing":          {sysfs(), Facts{}},
		"on battery":       {sysfs(battery...), Facts{Battery: true, Percent: 40}},
		"saving":           {sysfs(append(battery, "firmware/acpi/platform_profile=low-power")...), Facts{Battery: true, Percent: 40, Saver: true}},
		"two batteries":    {sysfs(append(battery, "BAT1/type=Battery", "BAT1/status=Unknown", "BAT1/capacity=20")...), Facts{Battery: true, Percent: 30}},
		"charging":         {sysfs("BAT0/type=Battery", "BAT0/status=Charging", "BAT0/capacity=5"), Facts{}},
		"plugged in":       {sysfs(append(battery, "AC/online=1")...), Facts{}},
		"a charger by USB": {sysfs(append(battery, "ucsi/type=USB", "ucsi/online=1")...), Facts{}},
		"a mouse":          {sysfs("hid/type=Battery", "hid/scope=Device", "hid/status=Discharging", "hid/capacity=3"), Facts{}},
		"one that is mute": {sysfs("BAT0/type=Battery", "BAT0/status=Discharging"), Facts{}},
	} {
		if got := read(c.sys); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestWhatMayBeDone(t *testing.T) {
	full, low, saving := Facts{Battery: true, Percent: Low}, Facts{Battery: true, Percent: Low - 1}, Facts{Battery: true, Percent: 90, Saver: true}
	for _, c := range []struct {
		policy  Policy
		facts   Facts
		why     string
		stretch int
	}{
		{"", low, "", 1}, {Sync, saving, "", 1},
		{Saver, Facts{}, "", 1}, {Saver, full, "", Stretch}, {Saver, low, "", Stretch},
		{No, Facts{}, "", 1}, {No, full, "", 1}, {No, low, "the battery is at 14 %", 1}, {No, saving, "the system saves power", 1},
	} {
		if why, s := c.policy.Withholds(c.facts), c.policy.Stretches(c.facts); why != c.why || s != c.stretch {
			t.Errorf("%s with %+v: %q, %d", c.policy, c.facts, why, s)
		}
	}
}
