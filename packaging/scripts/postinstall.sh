#!/bin/sh
# After installation and upgrade. Only what ran already is started again: there is nothing to run before alwayson setup.
set -e
name=@NAME@
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers "$name.conf"
elif ! getent passwd "$name" >/dev/null; then # Alpine has no systemd
	addgroup -S "$name"
	adduser -S -D -H -h "/var/lib/$name" -s /sbin/nologin -G "$name" "$name"
fi
if command -v systemd-tmpfiles >/dev/null; then
	systemd-tmpfiles --create "$name.conf"
else
	install -d -m 0700 -o "$name" -g "$name" "/var/lib/$name"
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart "$name.service"
	# The services of users; a manager that does not answer takes the new program at the next login.
	for uid in $(systemctl list-units --no-legend --plain --state=running 'user@*.service' | sed -n 's/^user@\([0-9]*\)\.service.*/\1/p'); do
		systemctl --user --machine "$uid@" daemon-reload || continue
		systemctl --user --machine "$uid@" try-restart "$name.service" || true
	done
fi
cat <<'EOF'
@NEXT@
EOF
