#!/usr/bin/env bash
# kubectl 1.27, the oldest that is promised: other discovery, other OpenAPI, JSON bodies.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/verbs.sh"
old=${KEELSON_KUBECTL_127:-$(find / -xdev -type f -name kubectl.1.27 -perm -u+x 2>/dev/null | head -n 1)}
[ -n "$old" ] || skip "there is no kubectl 1.27 here"

start_server
all_verbs "$old" verbs
echo ok
