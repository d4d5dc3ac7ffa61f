package dsstoretest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// want notes a wish and keeps its version.
func want(tx dsstore.Tx, device, key, value string, version *int64) error {
	v, err := tx.WantSetting(dsstore.Setting{Device: device, Key: key, Value: value, By: "admin", At: moment})
	if version != nil {
		*version = v
	}
	return err
}

func shown(list []dsstore.Setting) string {
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprintf("%s=%s %s", s.Key, s.Value, s.State))
	}
	return strings.Join(out, ", ")
}

func (b *bench) settings() {
	var first, second, other int64
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(want(tx, "d", "session.poll", "10m", nil), want(tx, "d", "log.level", "debug", &first), want(tx, "e", "log.level", "warn", &other))
	})
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(want(tx, "d", "log.level", "info", &second), tx.SettleSetting(first, dsstore.SettingApplied, "", moment),
			tx.SettleSetting(other, dsstore.SettingFailed, "locked", moment.Add(time.Second)), tx.SettleSetting(99999, dsstore.SettingApplied, "", moment))
	})
	b.view(func(tx dsstore.Tx) error {
		now, err := tx.Settings("d")
		b.same("what holds", shown(now), "log.level=info pending, session.poll=10m pending")
		b.same("versions", first < other && other < second && now[0].Version == second, true)
		b.same("the device's own", now[0].Own, false)
		history, _ := tx.SettingsHistory("d")
		b.same("history", shown(history), "log.level=info pending, log.level=debug applied, session.poll=10m pending")
		e, _ := tx.Settings("e")
		b.same("of another device", e, []dsstore.Setting{{Version: other, Device: "e", Key: "log.level", Value: "warn", By: "admin", At: moment,
			State: dsstore.SettingFailed, Reason: "locked", Settled: moment.Add(time.Second)}})
		unsettled, _ := tx.Unsettled()
		b.same("unsettled", unsettled, []dsstore.Unsettled{{Device: "d", Newest: second}})
		none, _ := tx.Settings("f")
		b.same("of none", len(none), 0)
		return err
	})
	b.update(func(tx dsstore.Tx) error {
		_, err := tx.WantSetting(dsstore.Setting{Device: "o", Key: "log.level", Own: true})
		_, e := tx.WantSetting(dsstore.Setting{Device: "o", Key: "push.key_file", Value: "s3cret", Secret: true})
		return errors.Join(err, e)
	})
	b.view(func(tx dsstore.Tx) error {
		now, err := tx.Settings("o")
		b.same("the device's own", fmt.Sprintln(len(now), now[0].Own, now[0].Secret, now[1].Own, now[1].Secret, now[0].Value+now[1].Value), "2 true false false true s3cret\n")
		return err
	})
	m := dsstore.Management{OwnNonce: "a", DeviceNonce: "b", Session: 65535}
	b.update(func(tx dsstore.Tx) error { return tx.PutManagement("d", m) })
	b.view(func(tx dsstore.Tx) error {
		got, err := tx.Management("d")
		none, _ := tx.Management("e")
		b.same("management", []dsstore.Management{got, none}, []dsstore.Management{m, {}})
		return err
	})
	b.update(func(tx dsstore.Tx) (err error) {
		for i := range dsstore.KeepSettings + 10 {
			err = errors.Join(err, want(tx, "d", "log.level", fmt.Sprint(i), nil))
		}
		return err
	})
	b.view(func(tx dsstore.Tx) error {
		history, err := tx.SettingsHistory("d")
		b.same("bounded", len(history), dsstore.KeepSettings+2)
		now, _ := tx.Settings("d")
		b.same("what holds then", shown(now), fmt.Sprintf("log.level=%d pending, session.poll=10m pending", dsstore.KeepSettings+9))
		return err
	})
}
