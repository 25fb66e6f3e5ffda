// Durable creates, updates and bindings through registry and store, without HTTP: one core thread,
// SQLite underneath, a closed loop of requesters. Usage: registry_bench [FOLDER [SECONDS]].
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/proto/core/v1/config_map.pb.h"
#include "api/proto/core/v1/pod.pb.h"
#include "api/proto/core/v1/service_account.pb.h"
#include "base/system_loop.h"
#include "control/registry/bootstrap.h"
#include "control/registry/registry_writer.h"
#include "control/store/sqlite.h"

using namespace keelson;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr int requesters = 64;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  ::_exit(1);
}

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

core::ConfigMap config_map() {
  core::ConfigMap message;
  message.mutable_metadata()->set_generatename("cm-");
  (*message.mutable_data())["value"] = std::string(1024, 'v');
  return message;
}

// What a ReplicaSet's controller creates.
core::Pod pod() {
  core::Pod message;
  meta::ObjectMeta& metadata = *message.mutable_metadata();
  metadata.set_generatename("web-5d4f8b-");
  (*metadata.mutable_labels())["app"] = "web";
  (*metadata.mutable_labels())["pod-template-hash"] = "5d4f8b";
  meta::OwnerReference& owner = *metadata.add_ownerreferences();
  owner.set_apiversion("apps/v1");
  owner.set_kind("ReplicaSet");
  owner.set_name("web-5d4f8b");
  owner.set_uid("7d1c4f0e-0000-4000-8000-000000000001");
  owner.set_controller(true);
  owner.set_blockownerdeletion(true);
  core::Container& container = *message.mutable_spec()->add_containers();
  container.set_name("web");
  container.set_image("keelson.local/hello:v1");
  container.add_ports()->set_containerport(8080);
  core::EnvVar& variable = *container.add_env();
  variable.set_name("MODE");
  variable.set_value("serve");
  return message;
}

struct Bench {
  explicit Bench(const std::string& path) {
    auto opened = SqliteDurable::open(path, loop, limits);
    if (!opened) die(opened.error().message);
    durable = std::move(*opened);
    store = std::make_unique<Store>(loop, *durable, limits, [](Error e) { die(e.message); });
    if (auto ok = store->load(); !ok) die(ok.error().message);
    registry = std::make_unique<Registry>(*store, loop, random, limits);
    if (auto ok = bootstrap(*registry, {"10.89.0.1", 6443}); !ok) die(ok.error().message);
    core::ServiceAccount account;
    account.mutable_metadata()->set_name("default");
    account.mutable_metadata()->set_namespace_("default");
    RegistryWriter writer(*registry, "bench", "bench");
    if (store->view().get(kinds::service_account(), "default", "default")) return;
    if (auto ok = writer.create(kinds::service_account(), account); !ok) die(ok.error().message);
  }

  // act(n) makes the nth request and returns the revision to wait for; 0: there is nothing more.
  void run(const char* name, double seconds, const std::function<Revision(int)>& act) {
    const auto begin = SteadyClock::now();
    int done = 0, started = 0, running = requesters;
    std::function<void()> next = [&] {
      const Revision revision = seconds_since(begin) < seconds ? act(started++) : 0;
      if (revision == 0) {
        if (--running == 0) loop.stop();
        return;
      }
      store->when_durable(revision, [&] {
        ++done;
        next();
      });
    };
    timespec cpu_before{}, cpu_after{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu_before);
    for (int i = 0; i < requesters; ++i) next();
    const Pending keep_running = loop.after(3600s, [] {});
    loop.run();
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu_after);
    const double took = seconds_since(begin);
    const double cpu = static_cast<double>(cpu_after.tv_sec - cpu_before.tv_sec) +
                       static_cast<double>(cpu_after.tv_nsec - cpu_before.tv_nsec) / 1e9;
    std::printf("%-28s %10d %12.0f %16.1f\n", name, done, done / took, cpu / done * 1e6);
    std::fflush(stdout);
  }

  SystemLoop loop;
  Limits limits;
  SystemRandom random;
  std::unique_ptr<SqliteDurable> durable;
  std::unique_ptr<Store> store;
  std::unique_ptr<Registry> registry;
};

Revision create(Bench& bench, const Kind& kind, const Message& message) {
  RequestContext context{.user = "bench", .field_manager = "bench"};
  std::unique_ptr<Message> copy(message.New());
  copy->CopyFrom(message);
  auto answer = bench.registry->create({kind, "default", ""}, std::move(copy), context);
  if (!answer) die(answer.error().message);
  return answer->revision;
}

Revision bind(Bench& bench, const Object& pod, int number) {
  RegistryWriter writer(*bench.registry, "system:kube-scheduler", "kube-scheduler");
  const std::string node = "node-" + std::to_string(number % 1000);
  if (auto ok = writer.bind(key_of(pod), pod.uid, node); !ok) die(ok.error().message);
  return bench.store->revision();
}

// As an agent reports a pod that has begun to run.
Revision report(Bench& bench, const Object& object) {
  RegistryWriter writer(*bench.registry, "system:node:n", "keelson-agent");
  auto pod = decode<core::Pod>(object);
  core::PodStatus& status = *pod.mutable_status();
  status.set_phase("Running");
  status.set_podip("10.88.1.7");
  core::ContainerStatus& container = *status.add_containerstatuses();
  container.set_name("web");
  container.set_ready(true);
  container.mutable_state()->mutable_running()->mutable_startedat()->set_seconds(1'770'000'000);
  auto done = writer.update_status(kinds::pod(), pod);
  if (!done) die(done.error().message);
  return (*done)->resource_version;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = (argc > 1 ? argv[1] : std::filesystem::current_path().string()) +
                             "/registry_bench." + std::to_string(::getpid());
  const double seconds = argc > 2 ? std::stod(argv[2]) : 3;
  std::filesystem::create_directory(folder);
  std::printf("%-28s %10s %12s %16s\n", "64 requesters", "requests", "requests/s",
              "core us/request");
  const core::ConfigMap small = config_map();
  const core::Pod web = pod();
  const auto measure = [&](const char* name, auto act, bool with_pods) {
    Bench bench(folder + "/store.db");
    std::vector<ObjectPtr> pods;
    if (with_pods) pods = bench.store->view().list(kinds::pod());
    bench.run(name, seconds, [&](int n) { return act(bench, pods, n); });
  };
  measure(
      "create ConfigMap, 1 KiB",
      [&](Bench& b, auto&, int) { return create(b, kinds::config_map(), small); }, false);
  measure(
      "create Pod", [&](Bench& b, auto&, int) { return create(b, kinds::pod(), web); }, false);
  measure(
      "bind Pod",
      [&](Bench& b, auto& pods, int n) {
        const auto at = static_cast<std::size_t>(n);
        return at < pods.size() ? bind(b, *pods[at], n) : 0;
      },
      true);
  measure(
      "update status of a Pod",
      [&](Bench& b, auto& pods, int n) {
        const auto at = static_cast<std::size_t>(n);
        return at < pods.size() ? report(b, *pods[at]) : 0;
      },
      true);
  std::filesystem::remove_all(folder);
}
