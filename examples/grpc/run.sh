#!/usr/bin/env bash
# gRPC calls to the demo's cells, by grpc-go through the edge's own port.
. "$(dirname "$0")/../world.sh"

cd "$here"
go build -o "$world/calls" .
lost=pat-zz9-00000000-0000-4000-8000-000000000000
na1=$(mint na1 private-app) na2=$(mint na2 private-app) eu1=$(mint eu1 private-app)

echo "The demo, with tokens of na2 and eu1."
demo
"$world/calls" -http "$edge_http" -https "$edge_https" -ca "$edge_ca" -na2 "$na2" -eu1 "$eu1" -lost "$lost"

echo "Another edge before the same cells, but without na1."
# shellcheck disable=SC2034 # read by edge: nothing listens there
origin_na1=127.0.0.1:1
edge
"$world/calls" -http "$edge_http" -https "$edge_https" -ca "$edge_ca" -down "$na1"
echo "PASSED: ${here##*/}"
