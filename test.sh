#!/bin/sh
# All tests of Homeward, on a machine that has only Go and git:
#
#   ./test.sh                     everything
#   ./test.sh -race -run Decide   flags go to go test
#   ./test.sh ./route ./cell      these packages only
#
# It installs what the tests need besides (curl; a C compiler for -race) where
# it may, as root on Debian or Ubuntu, and otherwise says what is missing.
set -eu
cd "$(dirname "$0")"

say() { printf 'test.sh: %s\n' "$*" >&2; }
die() {
	say "$@"
	exit 2
}

# Go, at least as new as go.mod asks for.
need_go=$(sed -n 's/^go //p' go.mod)
if ! command -v go >/dev/null 2>&1 && [ -x /usr/local/go/bin/go ]; then
	PATH=$PATH:/usr/local/go/bin
fi
command -v go >/dev/null 2>&1 || die "Go is missing: install Go $need_go or newer from https://go.dev/dl/ and put its bin folder into PATH."
if ! have_go=$(go env GOVERSION 2>&1); then
	die "this Go cannot build Homeward, which needs Go $need_go or newer (https://go.dev/dl/): $have_go"
fi
version() { # 1.26.3 as one number: 1026003
	echo "${1#go}" | sed 's/[^0-9.].*//' | awk -F. '{ print $1 * 1000000 + $2 * 1000 + $3 }'
}
if [ "$(version "$have_go")" -lt "$(version "$need_go")" ]; then
	die "this is $have_go; Homeward needs Go $need_go or newer: https://go.dev/dl/"
fi

# The other tools. need COMMAND PACKAGES says which Debian packages give it.
missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need git git
need curl curl
packages=./...
for arg in "$@"; do
	case $arg in
	-race | -race=true | --race) need "$(go env CC)" "gcc libc6-dev" ;;
	./* | . | github.com/*) packages= ;;
	esac
done
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	say "installing:$missing"
	apt-get update
	# shellcheck disable=SC2086 # one word a package
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates $missing
elif [ -n "$missing" ]; then
	say "missing:$missing"
	say "On Debian or Ubuntu: sudo apt-get install$missing"
	say "Elsewhere: the packages of those names, or what provides them; a C compiler is needed for -race only."
	exit 2
fi

say "$have_go; first go vet, then go test"
go vet ./...
# shellcheck disable=SC2086 # no word at all when the caller names packages
# A busy machine may take longer for one package than the ten minutes of go test.
exec go test -timeout 60m "$@" $packages
