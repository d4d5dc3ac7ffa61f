package sif

import (
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// class is the CLASS of Outlook's normal (0), personal (1), private (2) and confidential (3). Normal is what nobody has to say; personal is
// kept beside the CLASS that comes next to it.
func (s *source) class() []contentline.Line {
	switch v := s.word("Sensitivity"); v {
	case "1":
		return []contentline.Line{line("CLASS", "PRIVATE"), line(prefix+"SENSITIVITY", v)}
	case "2":
		return []contentline.Line{line("CLASS", "PRIVATE")}
	case "3":
		return []contentline.Line{line("CLASS", "CONFIDENTIAL")}
	}
	return nil
}

func putClass(out *node, c *contentline.Component) {
	v := "0"
	switch strings.ToUpper(text(c.Prop("CLASS"))) {
	case "PRIVATE":
		if v = "2"; text(c.Prop(prefix+"SENSITIVITY")) == "1" {
			v = "1"
		}
	case "CONFIDENTIAL":
		v = "3"
	}
	out.put("Sensitivity", v)
}

// priority is the PRIORITY of Outlook's low (0), normal (1) and high (2).
func (s *source) priority() []contentline.Line {
	switch s.word("Importance") {
	case "0":
		return []contentline.Line{line("PRIORITY", "9")}
	case "2":
		return []contentline.Line{line("PRIORITY", "1")}
	}
	return nil
}

func putPriority(out *node, c *contentline.Component) {
	v := "1"
	switch n, _ := strconv.Atoi(text(c.Prop("PRIORITY"))); {
	case n > 0 && n < 5:
		v = "2"
	case n > 5:
		v = "0"
	}
	out.put("Importance", v)
}

// Outlook's free (0), tentative (1), busy (2) and out of office (3). Busy is what iCalendar takes for granted; free it has a word for, and
// Microsoft's property has one for the others.
const busyStatus = "X-MICROSOFT-CDO-BUSYSTATUS"

func (s *source) busy() []contentline.Line {
	switch s.word("BusyStatus") {
	case "0":
		return []contentline.Line{line("TRANSP", "TRANSPARENT")}
	case "1":
		return []contentline.Line{line(busyStatus, "TENTATIVE")}
	case "3":
		return []contentline.Line{line(busyStatus, "OOF")}
	}
	return nil
}

func putBusy(out *node, c *contentline.Component) {
	v := "2"
	switch exact := strings.ToUpper(text(c.Prop(busyStatus))); {
	case strings.EqualFold(text(c.Prop("TRANSP")), "TRANSPARENT"), exact == "FREE":
		v = "0"
	case exact == "TENTATIVE":
		v = "1"
	case exact == "OOF":
		v = "3"
	}
	out.put("BusyStatus", v)
}

// Outlook's not started (0), in progress (1), complete (2), waiting (3) and deferred (4). iCalendar has no word for the last two.
var states = []string{"NEEDS-ACTION", "IN-PROCESS", "COMPLETED"}

func (s *source) status() []contentline.Line {
	complete, v := s.truth("Complete"), s.word("Status")
	n, err := strconv.Atoi(v)
	switch {
	case complete || n == 2:
		return []contentline.Line{line("STATUS", states[2])}
	case n == 3 || n == 4:
		return []contentline.Line{line("STATUS", states[0]), line(prefix+"STATUS", v)}
	case err == nil && n == 1 || n == 0 && v != "":
		return []contentline.Line{line("STATUS", states[n])}
	}
	return nil
}

func putStatus(out *node, c *contentline.Component) {
	v, complete := "0", "0"
	switch strings.ToUpper(text(c.Prop("STATUS"))) {
	case "COMPLETED":
		v, complete = "2", "1"
	case "IN-PROCESS":
		v = "1"
	case "CANCELLED":
		v = "4"
	default:
		if kept := text(c.Prop(prefix + "STATUS")); kept == "3" || kept == "4" {
			v = kept
		}
	}
	out.put("Status", v)
	out.put("Complete", complete)
}
