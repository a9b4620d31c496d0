# shellcheck shell=bash
# A world for one example, sourced by its run.sh: a freshly built homeward (or
# the one that HOMEWARD names), a scratch folder, and processes that end with
# the script.
#
#   origin NAME COMMAND...   starts an origin, which prints "listening ADDRESS" first; sets origin_NAME
#   edge                     starts an edge for the topology of demo.yaml with those origins as the
#                            cells' gateways; sets edge_http and edge_https (addresses), edge_ca (a file)
#   demo                     starts homeward demo: an edge and cells; sets the same, and origin_NAME
#   mint CELL RULE           prints a new credential of that cell, made up
#   need COMMAND PACKAGE     sees to a command that the example needs: as root by apt, else says what is missing
#
# All ports are free ones on loopback. The scratch folder is $world.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
world=$(mktemp -d)
running=()

# finish ends what the script started, after 5 s by force, and takes the scratch
# folder away. After a failure it first shows what the edge and the origins said.
finish() {
	local status=$? pid
	trap - EXIT
	for pid in "${running[@]}"; do kill "$pid" 2>/dev/null || true; done
	for pid in "${running[@]}"; do
		for _ in $(seq 50); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL "$pid" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	if [ "$status" != 0 ]; then
		for log in "$world"/*.log; do
			[ ! -s "$log" ] || { echo "--- ${log##*/}"; tail -n 20 "$log"; } >&2
		done
		echo "FAILED: ${here##*/}" >&2
	fi
	rm -rf "$world"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

need() {
	! command -v "$1" >/dev/null 2>&1 || return 0
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
		echo "installing $2" >&2
		{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$2"; } >"$world/apt.log" 2>&1
	else
		echo "missing: $1. On Debian or Ubuntu: sudo apt-get install $2" >&2
		return 2
	fi
}

if ! command -v go >/dev/null 2>&1 && [ -x /usr/local/go/bin/go ]; then
	PATH=$PATH:/usr/local/go/bin
fi
command -v go >/dev/null 2>&1 || { echo "Go is missing: https://go.dev/dl/" >&2; exit 2; }
homeward=${HOMEWARD:-$world/homeward}
[ -n "${HOMEWARD:-}" ] || (cd "$repository" && go build -o "$homeward" ./cmd/homeward)

mint() { "$homeward" token mint -t "$repository/examples/demo.yaml" --cell "$1" --rule "$2"; }

# told waits up to 60 s for a line of a log that the pattern matches, and prints
# its first group.
told() { # LOG PATTERN
	local found
	for _ in $(seq 600); do
		found=$(sed -n "s/.*$2.*/\\1/p" "$1" 2>/dev/null | head -n 1) || true # there may be no log yet
		[ -z "$found" ] || { echo "$found"; return; }
		sleep 0.1
	done
	echo "${1##*/} never said: $2" >&2
	return 1
}

origin() {
	local name=$1
	shift
	"$@" >"$world/$name.log" 2>&1 &
	running+=($!)
	printf -v "origin_$name" '%s' "$(told "$world/$name.log" 'listening \([0-9.:]*\)')"
}

edge() {
	local gateways=() name at
	for name in na1 na2 eu1; do
		at=origin_$name
		gateways+=(-e "/- name: $name/,/capacity:/s|://[0-9.:]*\"|://${!at}\"|")
	done
	sed "${gateways[@]}" "$repository/examples/demo.yaml" >"$world/topology.yaml"
	(cd "$world" && go run "$(go env GOROOT)/src/crypto/tls/generate_cert.go" \
		--ca --ecdsa-curve P256 --duration 24h --host api.homeward.test,app.homeward.test,localhost,127.0.0.1) 2>/dev/null
	"$homeward" edge -t "$world/topology.yaml" --http 127.0.0.1:0 --https 127.0.0.1:0 \
		--cert "$world/cert.pem" --key "$world/key.pem" --access-log "$world/access.json" >"$world/edge.log" 2>&1 &
	running+=($!)
	edge_http=$(told "$world/edge.log" 'listening http=\([0-9.:]*\)')
	edge_https=$(told "$world/edge.log" 'listening https=\([0-9.:]*\)')
	edge_ca=$world/cert.pem
}

# shellcheck disable=SC2034 # what it sets is for the example
demo() {
	"$homeward" demo --http 127.0.0.1:0 --https 127.0.0.1:0 --admin 127.0.0.1:0 --cell-port 0 >"$world/demo.log" 2>&1 &
	running+=($!)
	told "$world/demo.log" '\(ready\):' >/dev/null
	edge_http=$(told "$world/demo.log" '  http  *\([0-9][0-9.:]*\)')
	edge_https=$(told "$world/demo.log" '  https  *\([0-9][0-9.:]*\)')
	edge_ca=$(told "$world/demo.log" 'development CA: \(.*\)')
	local name
	for name in na1 na2 eu1; do
		printf -v "origin_$name" '%s' "$(told "$world/demo.log" "  $name  *\([0-9][0-9.:]*\)")"
	done
}
