# Sourced: everything kubectl does to objects, with the kubectl in $kubectl.

deployment() {  # NAME IMAGE
  cat <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1, labels: {app: $1}}
spec:
  replicas: 2
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}}
    spec:
      containers:
      - {name: main, image: "$2", ports: [{containerPort: 80}]}
      - {name: side, image: "side:1"}
YAML
}

creates_and_reads() {
  expect "namespace/$ns created" $kubectl create namespace "$ns"
  refuse 'already exists' $kubectl create namespace "$ns"
  # Pods need it; a controller makes it, if one runs here.
  $kubectl -n "$ns" create serviceaccount default >/dev/null 2>&1 || true
  expect 'configmap/a created' $kubectl -n "$ns" create configmap a --from-literal=x=1
  expect 'secret/s created' $kubectl -n "$ns" create secret generic s --from-literal=k=v
  expect 'deployment.apps/gen created' $kubectl -n "$ns" create deployment gen --image=i --replicas=3
  expect 'service/gen exposed' $kubectl -n "$ns" expose deployment gen --port=80 --target-port=8080
  expect 'pod/p created' $kubectl -n "$ns" run p --image=i --restart=Never
  expect 'NAME   DATA   AGE' $kubectl -n "$ns" get configmap a
  expect '0/3' $kubectl -n "$ns" get deployment gen
  expect 'CONTAINERS' $kubectl -n "$ns" get deployment gen -o wide
  expect 'SELECTOR' $kubectl -n "$ns" get service gen -o wide
  expect "$ns" $kubectl get pods -A
  expect 'run=p' $kubectl -n "$ns" get pods --show-labels
  expect 'deployment.apps/gen' $kubectl -n "$ns" get all
  equal "$($kubectl -n "$ns" get cm a -o jsonpath='{.data.x}')" 1
  equal "$($kubectl -n "$ns" get cm,deploy -o name | sort | tr '\n' ' ')" \
    'configmap/a deployment.apps/gen '
  equal "$($kubectl -n "$ns" get pods -l run=p -o name)" pod/p
  equal "$($kubectl -n "$ns" get pods -l 'run notin (p)' -o name)" ''
  equal "$($kubectl -n "$ns" get pods --field-selector metadata.name=p -o name)" pod/p
  equal "$($kubectl -n "$ns" get pods --field-selector spec.nodeName= -o name)" pod/p
  refuse 'configmaps "nosuch" not found' $kubectl -n "$ns" get configmap nosuch
  expect '' $kubectl -n "$ns" get configmap nosuch --ignore-not-found
  expect 'Name:' $kubectl -n "$ns" describe pod p
  expect 'Selector:' $kubectl -n "$ns" describe deployment gen
  expect 'IP:' $kubectl -n "$ns" describe service gen
}

pages_through_lists() {
  local i
  for i in 1 2 3 4 5; do
    $kubectl -n "$ns" create configmap "page-$i" --from-literal=n=$i >/dev/null
  done
  equal "$($kubectl -n "$ns" get cm --chunk-size=2 -o name | grep -c page)" 5
  equal "$($kubectl -n "$ns" get cm --sort-by=.data.n -o name | grep page | tail -n 1)" configmap/page-5
}

changes_things() {
  expect 'scaled' $kubectl -n "$ns" scale deployment gen --replicas=5
  equal "$($kubectl -n "$ns" get deploy gen -o jsonpath='{.spec.replicas} {.metadata.generation}')" '5 2'
  expect 'scaled' $kubectl -n "$ns" scale deployment gen --current-replicas=5 --replicas=4
  refuse 'Expected replicas to be 9, was 4' \
    $kubectl -n "$ns" scale deployment gen --current-replicas=9 --replicas=1
  expect 'image updated' $kubectl -n "$ns" set image deployment/gen i=j:2
  equal "$($kubectl -n "$ns" get deploy gen -o jsonpath='{.spec.template.spec.containers[0].image}')" j:2
  expect 'env updated' $kubectl -n "$ns" set env deployment/gen A=1
  expect 'restarted' $kubectl -n "$ns" rollout restart deployment/gen
  expect 'paused' $kubectl -n "$ns" rollout pause deployment/gen
  expect 'labeled' $kubectl -n "$ns" label cm a tier=front
  refuse 'already has a value' $kubectl -n "$ns" label cm a tier=back
  expect 'labeled' $kubectl -n "$ns" label --overwrite cm a tier=back
  expect 'unlabeled' $kubectl -n "$ns" label cm a tier-
  expect 'configmap/a annotate' $kubectl -n "$ns" annotate cm a note=1
  expect 'patched' $kubectl -n "$ns" patch cm a --type=merge -p '{"data":{"y":"2"}}'
  expect 'patched' $kubectl -n "$ns" patch cm a --type=json \
    -p '[{"op":"test","path":"/data/y","value":"2"},{"op":"replace","path":"/data/y","value":"3"}]'
  expect 'patched' $kubectl -n "$ns" patch deploy gen \
    -p '{"spec":{"template":{"spec":{"containers":[{"name":"extra","image":"e"}]}}}}'
  equal "$($kubectl -n "$ns" get deploy gen -o jsonpath='{.spec.template.spec.containers[*].name}')" \
    'extra i'
  refuse 'testing value /data/y failed' $kubectl -n "$ns" patch cm a --type=json \
    -p '[{"op":"test","path":"/data/y","value":"9"}]'
  expect 'no change' $kubectl -n "$ns" patch cm a --type=merge -p '{"data":{"y":"3"}}'
  printf '#!/bin/sh\nsed -i "s/ x: .*/ x: edited/" "$1"\n' >"$work/editor"
  chmod +x "$work/editor"
  expect 'a edited' env KUBE_EDITOR="$work/editor" $kubectl -n "$ns" edit cm a
  equal "$($kubectl -n "$ns" get cm a -o jsonpath='{.data.x}')" edited
  $kubectl -n "$ns" get cm a -o json >"$work/a.json"
  expect 'replaced' $kubectl -n "$ns" replace -f "$work/a.json"
  $kubectl -n "$ns" label cm a later=1 >/dev/null
  refuse 'the object has been modified' $kubectl -n "$ns" replace -f "$work/a.json" \
    --raw="/api/v1/namespaces/$ns/configmaps/a"
}

applies_from_the_client() {
  deployment web i:1 >"$work/web.yaml"
  expect 'deployment.apps/web created' $kubectl -n "$ns" apply -f "$work/web.yaml"
  expect 'unchanged' $kubectl -n "$ns" apply -f "$work/web.yaml"
  deployment web i:2 >"$work/web.yaml"
  expect 'created (server dry run)' bash -c \
    "sed s/web/other/ '$work/web.yaml' | $kubectl -n $ns apply --dry-run=server -f -"
  refuse 'i:2' $kubectl -n "$ns" diff -f "$work/web.yaml"  # differences are exit code 1
  expect 'configured' $kubectl -n "$ns" apply -f "$work/web.yaml"
  sed -i '/side/d' "$work/web.yaml"
  expect 'configured' $kubectl -n "$ns" apply -f "$work/web.yaml"
  equal "$($kubectl -n "$ns" get deploy web -o jsonpath='{.spec.template.spec.containers[*].name}')" main
  sed 's/replicas: 2/replica: 2/' "$work/web.yaml" >"$work/bad.yaml"
  refuse 'unknown field "spec.replica"' $kubectl -n "$ns" apply -f "$work/bad.yaml"
  expect 'unknown field "spec.replica"' $kubectl -n "$ns" apply --validate=warn -f "$work/bad.yaml"
}

watches_and_waits() {
  timeout 20 $kubectl -n "$ns" get cm -w -o name >"$work/watched" &
  local watcher=$!
  for _ in $(seq 100); do grep -q configmap "$work/watched" && break; sleep 0.1; done
  $kubectl -n "$ns" create configmap seen --from-literal=a=b >/dev/null
  for _ in $(seq 100); do grep -q seen "$work/watched" && break; sleep 0.1; done
  kill $watcher 2>/dev/null || true
  wait $watcher 2>/dev/null || true
  grep -q configmap/seen "$work/watched" || fail "get -w has not seen it: $(cat "$work/watched")"
  expect 'condition met' $kubectl -n "$ns" wait cm/seen --for=jsonpath='{.data.a}'=b --timeout=10s
  (sleep 0.3; $kubectl -n "$ns" delete cm seen >/dev/null) &
  expect 'condition met' $kubectl -n "$ns" wait cm/seen --for=delete --timeout=10s
}

explains_and_lists_what_there_is() {
  expect 'deployments' $kubectl api-resources
  expect 'apps/v1' $kubectl api-versions
  expect 'FIELDS' $kubectl explain deployment.spec.strategy
  expect 'name <string>' $kubectl explain pod.spec.containers.name
  expect 'v1.32' $kubectl version
  expect 'is running at' $kubectl cluster-info
}

deletes() {
  expect 'deleted' $kubectl -n "$ns" delete cm a
  expect 'deleted' $kubectl -n "$ns" delete pod p --now
  expect 'deleted' $kubectl -n "$ns" delete deploy --all
  expect 'deleted' $kubectl -n "$ns" delete secret s --dry-run=server
  expect 'secret/s' $kubectl -n "$ns" get secret s -o name
  refuse 'not found' $kubectl -n "$ns" delete cm a
}

all_verbs() {  # KUBECTL NAMESPACE
  kubectl=$1 ns=$2
  creates_and_reads
  pages_through_lists
  changes_things
  applies_from_the_client
  watches_and_waits
  explains_and_lists_what_there_is
  deletes
}
