// Package power is how much of it the device has, and what synchronizing may take of it. It reads only when it is asked: nothing wakes up for it.
package power

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// Facts are what is known of the device's power. The zero Facts are a device on mains, or one that does not tell.
type Facts struct {
	Battery bool // the device runs on it
	Percent int  // of its charge
	Saver   bool // the system has been told to save power
}

// Policy is what may be done on battery.
type Policy string

// The policies. "" is Sync.
const (
	Sync  Policy = "sync"  // everything
	Saver Policy = "saver" // looking by itself Stretch times more seldom; triggers and edits as ever
	No    Policy = "no"    // nothing by itself below Low percent, or while the system saves power
)

const (
	// Low is below which charge No holds back.
	Low = 15
	// Stretch is how many times longer pauses are under Saver.
	Stretch = 4
)

// Withholds is why nothing is sent by itself, "" if it is.
func (p Policy) Withholds(f Facts) string {
	switch {
	case p != No || !f.Battery:
		return ""
	case f.Percent < Low:
		return fmt.Sprintf("the battery is at %d %%", f.Percent)
	case f.Saver:
		return "the system saves power"
	}
	return ""
}

// Stretches is by how much the pauses between looks are longer.
func (p Policy) Stretches(f Facts) int {
	if p == Saver && f.Battery {
		return Stretch
	}
	return 1
}

// Now reads what the system tells. Where it does not, the device counts as one on mains.
func Now() Facts { return read(os.DirFS("/sys")) }

// read reads sysfs (Documentation/ABI/testing/sysfs-class-power).
func read(sys fs.FS) (f Facts) {
	const supplies = "class/power_supply"
	list, _ := fs.ReadDir(sys, supplies) // none is what there is if it cannot be known
	batteries, charge := 0, 0
	for _, e := range list {
		at := func(name string) string { return word(sys, path.Join(supplies, e.Name(), name)) }
		percent, err := strconv.Atoi(at("capacity"))
		switch {
		case at("type") != "Battery" && at("online") == "1":
			return Facts{} // mains, or a charger
		case at("type") != "Battery" || at("scope") == "Device" || err != nil: // of a mouse, say
			continue
		}
		batteries, charge = batteries+1, charge+percent
		f.Battery = f.Battery || at("status") == "Discharging"
	}
	if !f.Battery {
		return Facts{}
	}
	f.Percent, f.Saver = charge/batteries, word(sys, "firmware/acpi/platform_profile") == "low-power"
	return f
}

func word(sys fs.FS, name string) string {
	text, _ := fs.ReadFile(sys, name) // "" is what is not known
	return strings.TrimSpace(string(text))
}
