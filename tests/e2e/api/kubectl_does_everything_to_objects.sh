#!/usr/bin/env bash
# The kubectl on the PATH against the real binary over TLS: create, read, change, apply, watch, delete.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/verbs.sh"
command -v kubectl >/dev/null || skip "kubectl is not on the PATH"

start_server
all_verbs kubectl verbs
echo ok
