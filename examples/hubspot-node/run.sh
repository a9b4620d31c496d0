#!/usr/bin/env bash
# HubSpot's Node client through the edge; and its signatures, checked at the origin.
. "$(dirname "$0")/../world.sh"

need node nodejs
need npm npm
cd "$here"
npm ci >"$world/npm.log" 2>&1

# Two cells have an account each, with credentials made up now; na1 has none and must see nothing.
for cell in na2 eu1; do
	app=$(mint $cell private-app) refresh=$(mint $cell refresh) access=$(mint $cell oauth-access)
	printf -v "account_$cell" '{"privateApp":"%s","refresh":"%s","access":"%s"}' "$app" "$refresh" "$access"
	account=account_$cell
	origin "$cell" node origin.js "$cell" "${!account}"
done
origin na1 node origin.js na1 '{}'
edge

node calls.js "http://$edge_http" na1 "$origin_na1" '{}' na2 "$origin_na2" "$account_na2" eu1 "$origin_eu1" "$account_eu1"
node signatures.js "$edge_http" "$edge_https" "$edge_ca" "$app"
echo "PASSED: ${here##*/}"
