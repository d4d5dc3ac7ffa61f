#!/usr/bin/env bash
# Builds what is released into dist/: programs, archives, deb, rpm, apk, lists of what is inside (SBOM), manifests, checksums.
#   packaging/build.sh [VERSION]
# The same commit gives the same bytes, wherever it is built. TARGETS and OUT limit and move the work; COMMIT and SOURCE_DATE_EPOCH are asked of git.
# The commit is linked in, and not left to -buildvcs: that one stamps a clone, but neither a worktree nor an unpacked archive.
set -euo pipefail
cd "$(dirname "$0")/.."
COMMIT=${COMMIT:-$(git rev-parse HEAD)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
tag() { git describe --tags --exact-match --match 'v*' 2>/dev/null | sed 's/^v//'; }
VERSION=${1:-$(tag || true)}
VERSION=${VERSION:-0.0.0-git.$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d).${COMMIT:0:7}}
TARGETS=${TARGETS:-linux/amd64 linux/arm64 linux/arm windows/amd64 darwin/arm64}
out=$(realpath -m "${OUT:-dist}")
LICENSE=Apache-2.0
MTIME=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022
rm -rf "$out"
mkdir -p "$out"
tools=$PWD/packaging/tools/go.mod
export CGO_ENABLED=0 GOFLAGS=-mod=readonly
plain=(-trimpath -buildvcs=false) # the same for all, so that each package is compiled once

compile() { # os arch folder
	local p=github.com/alwayson-sync/alwayson
	link "$1" "$2" "$3" "-X $p/agent/internal/cli.release=$VERSION -X $p/agent/internal/cli.commit=$COMMIT -X main.release=$VERSION" \
		./agent/cmd/alwayson ./ds/cmd/alwayson-server
	case $1 in
	darwin) ;; # its panel needs cgo
	windows) link "$1" "$2" "$3" "-H windowsgui" ./agent/cmd/alwayson-tray ;; # else a console opens at each login
	*) link "$1" "$2" "$3" "" ./agent/cmd/alwayson-tray ;;
	esac
}

link() { # os arch folder flags program...
	GOOS=$1 GOARCH=$2 GOARM=7 go build "${plain[@]}" -o "$3/" -ldflags "-s -w -buildid= $4" "${@:5}"
}

archive() { # os arch folder
	local name=alwayson-$VERSION-$1-$2
	mkdir "$WORK/$name"
	cp "$3"/* configs/alwayson.toml configs/settings.md README.md LICENSE "$WORK/$name/"
	find "$WORK/$name" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	if [ "$1" = windows ]; then
		(cd "$WORK" && find "$name" -type f | sort | zip -X -q "$out/$name.zip" -@)
	else
		tar -C "$WORK" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" | gzip -9n >"$out/$name.tar.gz"
	fi
}

sbom() { # os arch folder
	for program in "$3"/*; do
		local name
		name=$(basename "$program" .exe)
		go tool -modfile="$tools" cyclonedx-gomod bin -json -noserial -notimestamp -std -version "v$VERSION" \
			-output "$out/$name-$VERSION-$1-$2.cdx.json" "$program" 2>"$WORK/log" || { cat "$WORK/log"; exit 1; }
	done
}

# extras are completion for the shells, and man pages.
extras() {
	local s=$WORK/share
	mkdir -p "$s/bash-completion/completions" "$s/zsh/vendor-completions" "$s/fish/vendor_completions.d"
	go build "${plain[@]}" -o "$WORK/host" ./agent/cmd/alwayson
	HOME=/nonexistent "$WORK/host" completion bash >"$s/bash-completion/completions/alwayson"
	HOME=/nonexistent "$WORK/host" completion zsh >"$s/zsh/vendor-completions/_alwayson"
	HOME=/nonexistent "$WORK/host" completion fish >"$s/fish/vendor_completions.d/alwayson.fish"
	go run "${plain[@]}" ./agent/internal/cli/manual "$s/man"
	find "$s" -exec touch -d "@$SOURCE_DATE_EPOCH" {} + # apk tells when they were written
}

# scripts fills in what differs between agent and server; the tray starts and owns nothing.
scripts() {
	local agent='alwayson is installed. Each user types: alwayson setup, then alwayson service install && alwayson service start'
	local server='alwayson-server is installed, and not started. See /etc/default/alwayson-server, then: systemctl enable --now alwayson-server'
	for script in postinstall preremove postremove; do
		mkdir -p "$WORK/alwayson" "$WORK/alwayson-server"
		sed "s|@NAME@|alwayson|; s|@NEXT@|$agent|" "packaging/scripts/$script.sh" >"$WORK/alwayson/$script.sh"
		sed "s|@NAME@|alwayson-server|; s|@NEXT@|$server|" "packaging/scripts/$script.sh" >"$WORK/alwayson-server/$script.sh"
	done
	touch -d "@$SOURCE_DATE_EPOCH" "$WORK/alwayson"/* "$WORK/alwayson-server"/* # as in extras
}

package() { # arch folder
	local fill="s|@WORK@|$WORK|g; s|@BIN@|$2|; s|@ARCH@|${1/%arm/arm7}|; s|@VERSION@|$VERSION|; s|@LICENSE@|$LICENSE|; s|@MTIME@|$MTIME|"
	fill+="; s|@SORTED@|${VERSION/-/\~}|; s|@APK@|${VERSION/-/_}|" # a version as deb and rpm, and as apk write it
	for name in alwayson alwayson-server alwayson-tray; do
		sed "$fill" "packaging/nfpm/$name.yaml" >"$WORK/$name.yaml"
		for kind in deb rpm apk; do
			go tool -modfile="$tools" nfpm package -f "$WORK/$name.yaml" -p $kind -t "$out/" >"$WORK/log" || { cat "$WORK/log"; exit 1; }
		done
	done
}

manifest() { # template result
	sed "s|@VERSION@|$VERSION|g; s|@LICENSE@|$LICENSE|g" "$1" >"$2"
	for file in $(sed -n 's/.*@SHA256:\([^@]*\)@.*/\1/p' "$2"); do
		[ -e "$out/$file" ] || { rm "$2"; return 0; } # that target was not asked for
		sed -i "s|@SHA256:$file@|$(sha256sum "$out/$file" | cut -d' ' -f1)|" "$2"
	done
}

extras
scripts
for target in $TARGETS; do
	os=${target%/*} arch=${target#*/} bin=$WORK/bin/${target/\//-}
	compile "$os" "$arch" "$bin"
	archive "$os" "$arch" "$bin"
	sbom "$os" "$arch" "$bin"
	[ "$os" != linux ] || package "$arch" "$bin"
done
manifest packaging/winget/alwayson.yaml "$out/alwayson.winget.yaml"
manifest packaging/brew/alwayson.rb "$out/alwayson.rb"
(cd "$out" && sha256sum -- * >SHA256SUMS)
