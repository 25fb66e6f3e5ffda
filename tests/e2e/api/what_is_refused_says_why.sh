#!/usr/bin/env bash
# Raw requests: codes, reasons and words of what the server does not do, and of who may not ask.
. "$(dirname "$0")/lib.sh"
command -v curl >/dev/null || skip "curl is not installed"

code() { tail -n 1; }
answers() {  # CODE TEXT request-arguments…
  local want=$1 text=$2 out
  shift 2
  out=$(request "$@")
  [[ $(code <<<"$out") == "$want" && $out == *"$text"* ]] ||
    fail "$* should answer $want with: $text"$'\n'"but answers: $out"
}
cm=/api/v1/namespaces/default/configmaps
json=(-H 'Content-Type: application/json')

start_server
# Without credentials: the four that everybody may ask, and 401 for the rest.
for path in /livez /readyz /healthz /version '/readyz?verbose'; do
  equal "$(curl -sk -o /dev/null -w '%{http_code}' "$url$path")" 200
done
for path in /api /api/v1/pods /openapi/v2 /nonsense /metrics; do
  equal "$(curl -sk -o /dev/null -w '%{http_code}' "$url$path")" 401
done
[[ $(curl -sk "$url/api/v1/pods") == *'"message":"Unauthorized","reason":"Unauthorized","code":401'* ]] || fail 401
# A certificate that somebody else has made proves nothing.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=system:masters/CN=admin \
  -keyout "$work/other.key" -out "$work/other.crt" -days 1 2>/dev/null
equal "$(curl -sk --cert "$work/other.crt" --key "$work/other.key" -o /dev/null -w '%{http_code}' "$url/api")" 401

answers 404 'the server could not find the requested resource' /nonsense
answers 404 'the server could not find the requested resource' /api/v1/nosuchkind
answers 404 'the server could not find the requested resource' /apis/apps/v9/deployments
answers 404 'the server could not find the requested resource' $cm/a/scale
answers 404 'configmaps \"a\" not found' $cm/a
answers 404 'namespaces \"nowhere\" not found' /api/v1/namespaces/nowhere/configmaps -X POST "${json[@]}" -d '{"metadata":{"name":"a"}}'
answers 405 'is not supported on resources of kind' /api/v1/configmaps -X POST "${json[@]}" -d '{}'
answers 405 'is not supported on resources of kind' $cm -X PUT "${json[@]}" -d '{}'
answers 405 'is not supported on resources of kind' $cm/a -X OPTIONS
answers 405 '' /version -X POST
answers 406 'only the following media types are accepted' $cm -H 'Accept: image/png'
answers 415 'the body of the request was in an unknown format' $cm -X POST -H 'Content-Type: text/html' -d x
answers 415 'application/apply-patch+yaml' $cm/a -X PATCH "${json[@]}" -d '{}'

answers 400 'the object provided is unrecognized' $cm -X POST "${json[@]}" -d '{'
answers 400 'Pod in version \"v1\" cannot be handled as a ConfigMap' $cm -X POST "${json[@]}" -d '{"apiVersion":"v1","kind":"Pod"}'
answers 400 'does not match the expected API version' $cm -X POST "${json[@]}" -d '{"apiVersion":"v2","kind":"ConfigMap"}'
answers 400 'ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal' $cm -X POST "${json[@]}" -d '{"data":1}'
answers 400 'strict decoding error: unknown field \"spec\"' "$cm?fieldValidation=Strict" -X POST "${json[@]}" -d '{"metadata":{"name":"a"},"spec":1}'
answers 400 'strict decoding error: duplicate field \"data\"' "$cm?fieldValidation=Strict" -X POST "${json[@]}" -d '{"metadata":{"name":"a"},"data":{},"data":{}}'
answers 422 'Invalid' $cm -X POST "${json[@]}" -d '{"metadata":{"name":"A_B"}}'
answers 422 'supported values: \"All\"' "$cm?dryRun=Some" -X POST "${json[@]}" -d '{"metadata":{"name":"a"}}'
answers 422 'fieldValidation' "$cm?fieldValidation=Perhaps" -X POST "${json[@]}" -d '{"metadata":{"name":"a"}}'
answers 422 'Too long' "$cm?fieldManager=$(printf 'x%.0s' {1..200})" -X POST "${json[@]}" -d '{"metadata":{"name":"a"}}'
answers 422 'fieldManager: Required value: is required for apply patch' $cm/a -X PATCH -H 'Content-Type: application/apply-patch+yaml' -d '{}'
answers 400 'invalid syntax' "$cm?limit=x"
answers 400 'spec.bogus' "$cm?fieldSelector=spec.bogus=1"
answers 201 '"name":"a"' "$cm?fieldValidation=Warn" -X POST "${json[@]}" -d '{"metadata":{"name":"a"},"spec":1}'
[[ $(request "$cm?fieldValidation=Warn&dryRun=All" -X POST "${json[@]}" -d '{"metadata":{"name":"w"},"spec":1}' -D -) == \
  *'Warning: 299 - "unknown field \"spec\""'* ]] || fail 'no Warning header'
answers 409 'configmaps \"a\" already exists' $cm -X POST "${json[@]}" -d '{"metadata":{"name":"a"}}'
answers 409 'the object has been modified' $cm/a -X PUT "${json[@]}" -d '{"metadata":{"name":"a","resourceVersion":"1"}}'
answers 409 'the UID in the precondition' $cm/a -X DELETE "${json[@]}" -d '{"preconditions":{"uid":"x"}}'
answers 400 '' $cm/a -X DELETE "${json[@]}" -d '{'
answers 201 '' /api/v1/namespaces/default/services -X POST "${json[@]}" -d '{"metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}}'
answers 500 'map: map[name:x] does not contain declared merge key: port' /api/v1/namespaces/default/services/s -X PATCH -H 'Content-Type: application/strategic-merge-patch+json' -d '{"spec":{"ports":[{"name":"x"}]}}'
head -c 3200000 /dev/zero | tr '\0' a >"$work/big"
answers 413 '' $cm -X POST "${json[@]}" --data-binary "@$work/big"

# Forms of answers.
answers 200 '"kind":"Table"' $cm -H 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io'
answers 200 '"kind":"PartialObjectMetadataList"' $cm -H 'Accept: application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'
answers 200 '"kind": "ConfigMapList"' "$cm?pretty=true"
answers 200 '"items":[]' /api/v1/namespaces/default/pods
[[ $(request $cm/a -H 'Accept: application/vnd.kubernetes.protobuf' | head -c 3) == k8s ]] || fail 'no protobuf'
answers 200 '"status":"Success"' "$cm/a?dryRun=All" -X DELETE
answers 200 '"status":"Success"' $cm/a -X DELETE
answers 200 '' '/apis/apps/v1'
answers 200 'APIGroupDiscoveryList' /apis -H 'Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'

# Speaking as somebody else is for administrators.
answers 200 '' $cm -H 'Impersonate-User: somebody'
"$keelson" server issue-node node-1 --data-dir "$work/data" --address 10.89.0.11 --out "$work/node"
[[ $(curl -sS --cacert "$work/data/pki/ca.crt" --cert "$work/node/node.crt" --key "$work/node/node.key" \
  -H 'Impersonate-User: admin' "$url$cm") == *'cannot impersonate resource'* ]] || fail 'a node speaks as admin'
equal "$(curl -sS --cacert "$work/data/pki/ca.crt" --cert "$work/node/node.crt" --key "$work/node/node.key" \
  -o /dev/null -w '%{http_code}' "$url$cm")" 200
echo ok
