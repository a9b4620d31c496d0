#!/usr/bin/env bash
# AWS Signature Version 4 and RFC 9421, signed by a Python client and checked at the origin.
. "$(dirname "$0")/../world.sh"

need python3 python3
cd "$here"
export PYTHONDONTWRITEBYTECODE=1
echo "Published vectors:"
python3 test_signatures.py
for cell in na1 na2 eu1; do origin $cell python3 origin.py $cell; done
edge
credential=$(mint eu1 private-app)
echo "Signed for the facade, checked at the origin:"
python3 client.py "$edge_http" "$edge_https" "$edge_ca" "$credential"
echo "PASSED: ${here##*/}"
