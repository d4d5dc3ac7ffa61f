#!/bin/sh
# Plays random worlds of devices and a server, split over the processors: test/sim.sh [SEEDS [FIRST]]
# SEEDS are up to a million. A world that breaks is printed with its seed and the shortest trace that shows the same.
set -eu
cd "$(dirname "$0")/.."
seeds=${1:-10000}
first=${2:-1}
case $seeds$first in
*[!0-9]*) echo "usage: test/sim.sh [SEEDS [FIRST]]" >&2; exit 64 ;;
esac
cores=$(getconf _NPROCESSORS_ONLN)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT INT TERM
go test -c -o "$dir/sim.test" ./agent/internal/sim
share=$(((seeds + cores - 1) / cores))
n=0
pids=
while [ "$n" -lt "$cores" ]; do
	GOMAXPROCS=2 "$dir/sim.test" -test.run 'TestSeeds$' -test.v -test.timeout 24h -seeds "$share" -first "$((first + n * share))" >"$dir/$n.log" 2>&1 &
	pids="$pids $!"
	n=$((n + 1))
done
failed=0
for pid in $pids; do
	wait "$pid" || failed=1
done
cat "$dir"/*.log | grep -v '^=== RUN\|--- PASS\|^PASS$' || true
exit $failed
