# Sourced by the tests of this folder: a control plane of their own on loopback, and words to check with.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
keelson=$root/build/keelson

work=$(mktemp -d "${TMPDIR:-/tmp}/keelson-e2e-XXXXXX")
export HOME=$work/home KUBECONFIG=$work/kubeconfig
mkdir "$HOME"
server_pid=""

cleanup() {
  local rc=$?
  [ -z "$server_pid" ] || { kill "$server_pid" 2>/dev/null; wait "$server_pid" 2>/dev/null; } || true
  [ $rc -eq 0 ] || [ $rc -eq 77 ] || { echo "--- server:"; tail -n 30 "$work/log" 2>/dev/null; }
  rm -rf "$work"
  exit $rc
}
trap cleanup EXIT
trap 'exit 143' INT TERM

skip() { echo "$1"; exit 77; }

start_server() {  # [FLAG…]: on a free port, its state in $work/data
  "$keelson" server --data-dir "$work/data" --listen "127.0.0.1:${port:-0}" \
    --advertise-address 10.89.0.1 "$@" >"$work/log" 2>&1 &
  server_pid=$!
  local line=""
  for _ in $(seq 200); do
    line=$(grep -ao 'listening address=127.0.0.1:[0-9]*' "$work/log" || true)
    [ -z "$line" ] || break
    kill -0 "$server_pid" 2>/dev/null || { cat "$work/log"; exit 1; }
    sleep 0.05
  done
  port=${line##*:}
  url=https://127.0.0.1:$port
  "$keelson" server kubeconfig --data-dir "$work/data" --url "$url" >"$KUBECONFIG"
}

stop_server() {
  kill "$server_pid"
  wait "$server_pid" || true
  server_pid=""
}

# As the administrator, with curl: request PATH [CURL-ARGUMENT…]; prints the body and the code.
request() {
  local path=$1
  shift
  curl -sS --cacert "$work/data/pki/ca.crt" --cert "$work/data/pki/admin.crt" \
    --key "$work/data/pki/admin.key" -A test -w '\n%{http_code}' "$@" "$url$path"
}

fail() { echo "FAILED: $*"; exit 1; }

# expect TEXT COMMAND…: succeeds, and its output holds the text.
expect() {
  local text=$1 out
  shift
  out=$("$@" 2>&1) || fail "$* exited with $?: $out"
  [[ $out == *"$text"* ]] || fail "$* should have said: $text"$'\n'"but said: $out"
}

# refuse TEXT COMMAND…: fails, and says so.
refuse() {
  local text=$1 out
  shift
  if out=$("$@" 2>&1); then fail "$* should have failed, but said: $out"; fi
  [[ $out == *"$text"* ]] || fail "$* should have said: $text"$'\n'"but said: $out"
}

equal() { [[ $1 == "$2" ]] || fail "expected: $2"$'\n'"but was: $1"; }

[ -x "$keelson" ] || fail "build/keelson is not built"
