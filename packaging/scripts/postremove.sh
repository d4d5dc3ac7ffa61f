#!/bin/sh
# After removal. Nobody's data belongs to a package: configuration, state and items stay, after a purge, too.
set -e
name=@NAME@
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
case "$1" in
remove | purge | 0)
	for dir in "/etc/$name" "/var/lib/$name"; do
		[ ! -e "$dir" ] || echo "$name: $dir is kept; to delete it for good: rm -r $dir"
	done
	;;
esac
