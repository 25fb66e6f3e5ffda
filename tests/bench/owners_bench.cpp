// What managedFields cost a write: track_update for the writes a control plane sees most. Usage:
// owners_bench
#include <chrono>
#include <cstdio>

#include "api/apply.h"
#include "api/json.h"
#include "api/kinds.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/meta/v1/object_meta.pb.h"
#include "api/protobuf.h"

using namespace keelson;

namespace {

const char* const pod_text = R"({"metadata":{"name":"web-7d4b9c-x2x9p","namespace":"default",
  "labels":{"app":"web","pod-template-hash":"7d4b9c"},"ownerReferences":[{"apiVersion":"apps/v1",
  "kind":"ReplicaSet","name":"web-7d4b9c","uid":"5f1a","controller":true}]},
  "spec":{"containers":[{"name":"nginx","image":"nginx:1.27","imagePullPolicy":"IfNotPresent",
  "ports":[{"containerPort":80,"protocol":"TCP"}],"env":[{"name":"A","value":"1"}],
  "resources":{"limits":{"cpu":"1","memory":"128Mi"},"requests":{"cpu":"100m","memory":"64Mi"}},
  "terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File",
  "readinessProbe":{"httpGet":{"path":"/","port":80,"scheme":"HTTP"},"timeoutSeconds":1,
  "periodSeconds":10,"successThreshold":1,"failureThreshold":3},
  "volumeMounts":[{"name":"data","mountPath":"/data"}]}],
  "volumes":[{"name":"data","emptyDir":{}}],"restartPolicy":"Always","dnsPolicy":"ClusterFirst",
  "schedulerName":"default-scheduler","securityContext":{},"terminationGracePeriodSeconds":30,
  "enableServiceLinks":true}})";

const char* const status_text = R"({"phase":"Running","hostIP":"10.89.0.11","podIP":"10.88.1.5",
  "podIPs":[{"ip":"10.88.1.5"}],"startTime":"2024-01-01T00:00:00Z","qosClass":"Burstable",
  "conditions":[
  {"type":"PodReadyToStartContainers","status":"True","lastTransitionTime":"2024-01-01T00:00:01Z"},
  {"type":"Initialized","status":"True","lastTransitionTime":"2024-01-01T00:00:00Z"},
  {"type":"Ready","status":"True","lastTransitionTime":"2024-01-01T00:00:02Z"},
  {"type":"ContainersReady","status":"True","lastTransitionTime":"2024-01-01T00:00:02Z"},
  {"type":"PodScheduled","status":"True","lastTransitionTime":"2024-01-01T00:00:00Z"}],
  "containerStatuses":[{"name":"nginx","ready":true,"started":true,"restartCount":0,
  "image":"nginx:1.27","imageID":"sha256:1","containerID":"keelson://1",
  "state":{"running":{"startedAt":"2024-01-01T00:00:02Z"}}}]})";

std::unique_ptr<Message> read(const Kind& kind, std::string_view text) {
  auto message = kind.make_message();
  std::vector<std::string> unknown;
  (void)message_from_json(parse_json(text)->tree.as_object(), *message, unknown);
  return message;
}

template <typename Work>
void measure(const char* what, Work work) {
  using SteadyClock = std::chrono::steady_clock;
  constexpr int rounds = 9, calls = 5'000;
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    const auto begin = SteadyClock::now();
    for (int i = 0; i < calls; ++i) work();
    best = std::min(
        best,
        std::chrono::duration<double, std::micro>(SteadyClock::now() - begin).count() / calls);
  }
  std::printf("%-58s %6.2f us\n", what, best);
}

}  // namespace

int main() {
  const WallTime now{std::chrono::seconds(1'700'000'000)};
  const Kind& pods = kinds::pod();
  auto pod = read(pods, pod_text);
  auto config_map = read(kinds::config_map(), R"({"metadata":{"name":"a","namespace":"b"},
                                                  "data":{"a":"1","b":"2","c":"3"}})");
  measure("serialize a pod (for comparison)", [&] { canonical_bytes(*pod); });
  measure("create a ConfigMap",
          [&] { track_update(kinds::config_map(), nullptr, *config_map, {"kubectl"}, now); });
  measure("create a Pod", [&] { track_update(pods, nullptr, *pod, {"kubectl"}, now); });

  const ObjectPtr created = make_object(pods, *pod);
  auto running = std::unique_ptr<core::Pod>(static_cast<core::Pod*>(pod->New()));
  running->CopyFrom(*pod);
  running->mutable_status()->CopyFrom(
      static_cast<const core::Pod&>(*read(pods, fmt::format(R"({{"status":{}}})", status_text)))
          .status());
  const core::Pod first = *running;
  measure("first status of a Pod", [&] {
    *running->mutable_metadata() = first.metadata();
    track_update(pods, created.get(), *running, {"keelson-agent", "status"}, now);
  });
  const ObjectPtr before = make_object(pods, *running);
  const auto kept = running->metadata();
  running->mutable_status()->mutable_conditions(2)->set_status("False");
  measure("a condition of a Pod changes", [&] {
    *running->mutable_metadata() = kept;
    track_update(pods, before.get(), *running, {"keelson-agent", "status"}, now);
  });
  *running->mutable_metadata() = kept;
  const ObjectPtr same = make_object(pods, *running);
  measure("nothing changes", [&] {
    *running->mutable_metadata() = kept;
    track_update(pods, same.get(), *running, {"keelson-agent", "status"}, now);
  });
  for (const auto& entry : running->metadata().managedfields()) {
    std::printf("%s: %zu bytes\n", entry.manager().c_str(), entry.fieldsv1().raw().size());
  }
}
