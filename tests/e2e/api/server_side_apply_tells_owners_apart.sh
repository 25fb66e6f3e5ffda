#!/usr/bin/env bash
# kubectl apply --server-side: owners, conflicts, force, what is dropped, and the way over from client-side apply.
. "$(dirname "$0")/lib.sh"
command -v kubectl >/dev/null || skip "kubectl is not on the PATH"

config_map() {  # KEY=VALUE…
  printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n'
  local pair
  for pair in "$@"; do printf '  %s: "%s"\n' "${pair%%=*}" "${pair#*=}"; done
}
apply() { kubectl apply --server-side -f - "$@"; }
data() { kubectl get cm a -o jsonpath='{.data}'; }
owners() { kubectl get cm a --show-managed-fields -o jsonpath='{range .metadata.managedFields[*]}{.manager}:{.operation} {end}'; }

start_server
config_map x=1 v=1 | expect 'serverside-applied' apply --field-manager=one
config_map x=1 v=1 | expect 'serverside-applied' apply --field-manager=one
version=$(kubectl get cm a -o jsonpath='{.metadata.resourceVersion}')
config_map x=1 v=1 | expect 'serverside-applied' apply --field-manager=one
equal "$(kubectl get cm a -o jsonpath='{.metadata.resourceVersion}')" "$version"

config_map x=2 | refuse 'conflict with "one": .data.x' apply --field-manager=two
config_map x=2 | expect 'serverside-applied' apply --field-manager=two --force-conflicts
equal "$(owners)" 'one:Apply two:Apply '
config_map v=1 | expect 'serverside-applied' apply --field-manager=one
equal "$(data)" '{"v":"1","x":"2"}'
config_map v=1 z=1 | expect 'serverside-applied' apply --field-manager=one
config_map v=1 | expect 'serverside-applied' apply --field-manager=one
equal "$(data)" '{"v":"1","x":"2"}'
config_map v=1 w=1 | expect 'serverside-applied (server dry run)' apply --field-manager=one --dry-run=server
equal "$(data)" '{"v":"1","x":"2"}'
config_map v=9 | refuse '9' kubectl diff --server-side --field-manager=one -f -  # exit code 1: it differs

kubectl patch cm a --type=merge -p '{"data":{"v":"5"}}' >/dev/null
config_map v=1 | refuse 'conflict with "kubectl-patch" using v1: .data.v' apply --field-manager=one
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nspec: {}\n' |
  refuse 'field not declared in schema' kubectl apply --server-side --validate=false --field-manager=one -f -

# From client-side apply: kubectl takes over what it applied, and drops what is left out.
config_map x=1 v=1 | sed 's/name: a/name: b/' | kubectl apply -f - >/dev/null
config_map x=1 | sed 's/name: a/name: b/' | expect 'serverside-applied' apply
config_map x=1 | sed 's/name: a/name: b/' | expect 'serverside-applied' apply
equal "$(kubectl get cm b -o jsonpath='{.data}')" '{"x":"1"}'
equal "$(kubectl get cm b --show-managed-fields -o jsonpath='{.metadata.managedFields[*].manager}')" \
  'kubectl kubectl-last-applied'

# Through a subresource an owner owns what it wrote there.
kubectl create deployment d --image=i --replicas=1 >/dev/null
kubectl scale deployment d --replicas=4 >/dev/null
equal "$(kubectl get deploy d --show-managed-fields \
  -o jsonpath='{range .metadata.managedFields[?(@.subresource=="scale")]}{.manager} {.fieldsV1}{end}')" \
  'kubectl {"f:spec":{"f:replicas":{}}}'
echo ok
