#!/bin/sh
# Runs every fuzz target of the tree, one after the other, each for some seconds: test/fuzz.sh [SECONDS]
# What a target finds lands in the testdata/fuzz folder of its package: fix it, and keep the file as a test.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
case $seconds in
*[!0-9]* | '') echo "usage: test/fuzz.sh [SECONDS]" >&2; exit 64 ;;
esac
failed=
for file in $(grep -rl --include='*_test.go' '^func Fuzz' .); do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		echo "== $(dirname "$file") $target"
		# Finding the shortest input that is interesting takes most of the time if it is not bounded.
		go test -run "^$target\$" -fuzz "^$target\$" -fuzztime "${seconds}s" -fuzzminimizetime 20x "$(dirname "$file")" || failed="$failed $target"
	done
done
if [ -n "$failed" ]; then
	echo "found something:$failed" >&2
	exit 1
fi
