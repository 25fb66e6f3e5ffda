#!/usr/bin/env bash
# Watches over HTTP: initial events, bookmarks, timeouts, resuming, too old a revision, Tables with one head.
. "$(dirname "$0")/lib.sh"
command -v curl >/dev/null || skip "curl is not installed"
cm=/api/v1/namespaces/default/configmaps
make() { request $cm -X POST -H 'Content-Type: application/json' -d "{\"metadata\":{\"name\":\"$1\"},\"data\":{\"k\":\"$2\"}}" >/dev/null; }
change() { request $cm/$1 -X PATCH -H 'Content-Type: application/merge-patch+json' -d "{\"data\":{\"k\":\"$2\"}}" >/dev/null; }
types() { grep -o '^{"type":"[A-Z]*"' <<<"$1" | cut -d'"' -f4 | tr '\n' ' '; }

start_server
make one 1
out=$(request "$cm?watch=true&timeoutSeconds=1")
equal "$(types "$out")" 'ADDED '
equal "$(tail -n 1 <<<"$out")" 200

revision=$(request $cm/one | grep -o '"resourceVersion":"[0-9]*"' | head -n 1 | tr -dc 0-9)
change one 2
make two 1
request $cm/two -X DELETE >/dev/null
out=$(request "$cm?watch=1&resourceVersion=$revision&timeoutSeconds=1")
equal "$(types "$out")" 'MODIFIED ADDED DELETED '

# While it runs.
request "$cm?watch=1&resourceVersion=$revision&timeoutSeconds=3&allowWatchBookmarks=true" -N >"$work/live" &
watcher=$!
for _ in $(seq 100); do grep -q DELETED "$work/live" && break; sleep 0.05; done
make three 1
wait $watcher
[[ $(types "$(cat "$work/live")") == 'MODIFIED ADDED DELETED '*'ADDED '* ]] || fail "$(cat "$work/live")"
grep -q '"type":"BOOKMARK"' "$work/live" || fail "no bookmark before the end: $(cat "$work/live")"

out=$(request "$cm?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1")
[[ $(types "$out") == 'ADDED ADDED BOOKMARK'* ]] || fail "$out"
[[ $out == *'"k8s.io/initial-events-end":"true"'* ]] || fail "$out"
[[ $(request "$cm?watch=1&sendInitialEvents=true" | tail -n 1) == 422 ]] || fail 'sendInitialEvents needs a match'

out=$(request "$cm?watch=1&timeoutSeconds=1" -H 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io')
equal "$(grep -o '"columnDefinitions":\[{' <<<"$out" | wc -l)" 1
equal "$(types "$out")" 'ADDED ADDED '

out=$(request "$cm/one?watch=1&timeoutSeconds=1")
equal "$(types "$out")" 'ADDED '
out=$(request "$cm?watch=1&timeoutSeconds=1&labelSelector=none" )
equal "$(types "$out")" ''
equal "$(request "$cm?watch=1&labelSelector=((" | tail -n 1)" 400

# The stream of protobuf says so in its type.
[[ $(request "$cm?watch=1&timeoutSeconds=1" -H 'Accept: application/vnd.kubernetes.protobuf' -D - | tr -d '\0') == \
  *'application/vnd.kubernetes.protobuf;stream=watch'* ]] || fail 'content type of a protobuf watch'

# History is not kept over a restart: too old is said in the stream, as an event.
stop_server
start_server
out=$(request "$cm?watch=1&resourceVersion=1&timeoutSeconds=1")
equal "$(types "$out")" 'ERROR '
[[ $out == *'"reason":"Expired"'*'"code":410'* ]] || fail "$out"
equal "$(request $cm/one | tail -n 1)" 200
echo ok
