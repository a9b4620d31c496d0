#!/usr/bin/env bash
# A page in headless Chromium that uses the API through the edge, from another origin.
. "$(dirname "$0")/../world.sh"

need chromium chromium
cd "$here"
go build -o "$world/browser" .
for cell in na2 eu1; do origin $cell "$world/browser" origin $cell; done
# shellcheck disable=SC2034 # read by edge: nothing listens there, na1 is down
origin_na1=127.0.0.1:1
edge
na1=$(mint na1 private-app) na2=$(mint na2 private-app) na2_query=$(mint na2 api-key)
lost=pat-zz9-00000000-0000-4000-8000-000000000000
for protocol in "" -http1; do
	echo "In Chromium, ${protocol:+without }HTTP/2:"
	"$world/browser" page -edge "$edge_https" -cert "$world/cert.pem" -key "$world/key.pem" -log "$world/access.json" \
		-chromium "$(command -v chromium)" -na1 "$na1" -na2 "$na2" -na2-query "$na2_query" -lost "$lost" $protocol
done
echo "PASSED: ${here##*/}"
