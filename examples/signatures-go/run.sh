#!/usr/bin/env bash
# AWS Signature Version 4 and RFC 9421, signed by a Go client and checked at the origin.
. "$(dirname "$0")/../world.sh"

cd "$here"
echo "Published vectors:"
go test -count=1 -run Published -v . | sed -n 's/^    --- \(.*\) (.*/  \1/p'
go build -o "$world/signatures" .
for cell in na1 na2 eu1; do origin $cell "$world/signatures" origin $cell; done
edge
credential=$(mint eu1 private-app)
echo "Signed for the facade, checked at the origin:"
"$world/signatures" client "$edge_http" "$edge_https" "$edge_ca" "$credential"
echo "PASSED: ${here##*/}"
