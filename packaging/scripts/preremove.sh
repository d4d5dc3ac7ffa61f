#!/bin/sh
# Before removal, not before an upgrade. dpkg says remove or upgrade, rpm how many versions will be left, apk nothing of that.
set -e
name=@NAME@
case "$1" in upgrade | 1 | 2) exit 0 ;; esac
if [ -d /run/systemd/system ]; then
	systemctl disable --now "$name.service" || true
	for uid in $(systemctl list-units --no-legend --plain --state=running 'user@*.service' | sed -n 's/^user@\([0-9]*\)\.service.*/\1/p'); do
		systemctl --user --machine "$uid@" stop "$name.service" || true
	done
fi
