# The life of the packages on a Debian, as root in a copy of this one that nobody else sees: installed, used, upgraded, removed, purged.
set -eux
version=$1
arch=$(dpkg --print-architecture)
cd /debs
rm -rf /etc/alwayson /var/lib/alwayson /var/lib/alwayson-server
[ ! -e /usr/bin/alwayson ]

! dpkg -i "alwayson-tray_${version}_$arch.deb" # without the agent there is nothing to show
dpkg -i "alwayson_${version}_$arch.deb" "alwayson-server_${version}_$arch.deb" "alwayson-tray_${version}_$arch.deb"
dpkg-deb -f "alwayson-tray_${version}_$arch.deb" Depends | grep -Fx "alwayson (= $version)"
! alwayson-tray -icons none 2>log
grep -F alwayson-tray log
for entry in /etc/xdg/autostart /usr/share/applications; do
	grep -Fx Exec=alwayson-tray "$entry/alwayson-tray.desktop"
done
[ -s /usr/share/icons/hicolor/scalable/apps/alwayson.svg ]
alwayson version | grep -F "alwayson $version, commit "
alwayson version --json | grep -F "\"version\": \"$version\""
alwayson-server --version | grep -F "$version"
for unit in alwayson alwayson-server; do
	systemd-analyze --man=no verify "/usr/lib/systemd/system/$unit.service" >log 2>&1
	! grep "$unit" log
	[ "$(systemctl --root=/ is-enabled "$unit.service")" = disabled ]
	[ "$(stat -c %U:%a "/var/lib/$unit")" = "$unit:700" ]
done
XDG_RUNTIME_DIR=/debs systemd-analyze --user --man=no verify /usr/lib/systemd/user/alwayson.service >log 2>&1
! grep alwayson log
[ "$(stat -c %U:%a /etc/alwayson)" = alwayson:750 ]
[ "$(stat -c %a /usr/share)" = 755 ]
bash -n /usr/share/bash-completion/completions/alwayson

# A newcomer: what is installed is set up by one command on each device, no file is edited, and a contact goes from one to the other within a minute.
begun=$(date +%s)
late() { [ $(($(date +%s) - begun)) -ge 60 ]; }
export XDG_CONFIG_HOME= XDG_STATE_HOME=
data=/debs/server
alwayson-server --data $data user add ana --no-password
alwayson-server --data $data run --listen 127.0.0.1:28765 --broker-listen 127.0.0.1:28766 >server.log 2>&1 &
server=$!
agents=
for device in laptop phone; do
	export HOME=/debs/$device XDG_RUNTIME_DIR=/debs/$device/run
	mkdir -p "$XDG_RUNTIME_DIR"
	alwayson-server --data $data device add $device --user ana >secret
	until alwayson setup http://127.0.0.1:28765 --broker mqtt://127.0.0.1:28766 --user ana --device $device --store contacts=~/Contacts --yes <secret; do
		if late; then exit 1; fi
		sleep 0.2
	done
	alwayson run >agent-$device.log 2>&1 &
	agents="$agents $!"
	until alwayson on; do
		if late; then exit 1; fi
		sleep 0.2
	done
done
printf 'BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:Ana\r\nN:Silva;Ana\r\nEND:VCARD\r\n' >/debs/laptop/Contacts/ana.vcf
until cmp /debs/laptop/Contacts/ana.vcf /debs/phone/Contacts/ana.vcf; do
	if late; then exit 1; fi
	sleep 0.2
done
kill $agents $server
wait $agents $server || true
unset XDG_RUNTIME_DIR
export HOME=/root

# The administrator and the programs write; an upgrade starts again what runs, under both kinds of systemd, and keeps it all.
echo mine | tee /etc/alwayson/alwayson.toml /var/lib/alwayson/state /var/lib/alwayson-server/server.db
echo 'OPTIONS="--listen :8765"' >/etc/default/alwayson-server
mkdir -p /run/systemd/system
cat >/usr/local/bin/systemctl <<'EOF'
#!/bin/sh
echo "$*" >>/debs/asked
[ "$1" != list-units ] || echo 'user@1000.service loaded active running User Manager for UID 1000'
EOF
chmod 755 /usr/local/bin/systemctl
dpkg -i "alwayson_${version}_$arch.deb" "alwayson-server_${version}_$arch.deb"
for line in 'try-restart alwayson.service' 'try-restart alwayson-server.service' '--user --machine 1000@ try-restart alwayson.service'; do
	grep -Fx -e "$line" asked
done
! grep -E '(^| )(start|enable|disable|stop) ' asked
grep -F :8765 /etc/default/alwayson-server

dpkg -r alwayson-tray alwayson alwayson-server >log
cat log
grep -Fx -e 'disable --now alwayson.service' asked
grep -Fx -e 'disable --now alwayson-server.service' asked
grep -F '/var/lib/alwayson is kept' log
for gone in /usr/bin/alwayson /usr/bin/alwayson-server /usr/bin/alwayson-tray /usr/lib/systemd/system/alwayson.service /usr/lib/systemd/user/alwayson.service \
	/usr/share/applications/alwayson-tray.desktop /usr/lib/systemd/system/alwayson-server.service /usr/share/doc/alwayson /usr/share/bash-completion/completions/alwayson; do
	[ ! -e "$gone" ]
done
dpkg -P alwayson alwayson-server alwayson-tray
[ ! -e /etc/default/alwayson-server ]
[ ! -e /etc/xdg/autostart/alwayson-tray.desktop ]
for kept in /etc/alwayson/alwayson.toml /var/lib/alwayson/state /var/lib/alwayson-server/server.db; do
	[ "$(cat "$kept")" = mine ]
done
echo 'it was all as it should be'
