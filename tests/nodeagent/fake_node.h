// A node in virtual time: a runtime that does what the test says, and remembers what it was asked.
#pragma once

#include <google/protobuf/text_format.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/object_index.h"
#include "api/proto/core/v1/pod.pb.h"
#include "nodeagent/pod_hands.h"
#include "nodeagent/pod_worker.h"
#include "tests/sim_loop.h"

namespace keelson {

class FakeRuntime final : public PodRuntime {
 public:
  explicit FakeRuntime(Loop& loop) : loop_(loop) {}

  std::vector<std::string> calls;  // "image hello:v1", "start main/0", "kill main/0 15" …
  std::map<std::string, Error> image_error;  // by image
  std::map<std::string, Error> start_error;  // by container
  Error sandbox_error;                       // message empty: none
  bool dies_on_stop = true;                  // a stop signal ends a container with exit 0

  void list(Done<Found> done) override { answer(std::move(done), Found{}); }
  void on_exit(std::function<void(const ContainerExit&)> exited) override {
    exited_ = std::move(exited);
  }
  void ensure_image(const std::string& image, const std::string&, Done<ImageInfo> done) override {
    calls.push_back("image " + image);
    if (auto found = image_error.find(image); found != image_error.end()) {
      return answer(std::move(done), Result<ImageInfo>(std::unexpected(found->second)));
    }
    answer(std::move(done), ImageInfo{.id = "sha256:1", .reference = image});
  }
  void create_sandbox(std::shared_ptr<const core::Pod>, Done<SandboxInfo> done) override {
    calls.push_back("sandbox");
    if (!sandbox_error.message.empty()) {
      return answer(std::move(done), Result<SandboxInfo>(std::unexpected(sandbox_error)));
    }
    answer(std::move(done), SandboxInfo{.ips = {"10.88.0.5"}});
  }
  void stop_sandbox(const std::string&, Done<void> done) override {
    calls.push_back("stop sandbox");
    answer(std::move(done), Result<>());
  }
  void remove_pod(const std::string&, Done<void> done) override {
    calls.push_back("remove pod");
    answer(std::move(done), Result<>());
  }
  void start_container(ContainerStart start, Done<ContainerStarted> done) override {
    const std::string id = start.container->name() + "/" + std::to_string(start.attempt);
    calls.push_back("start " + id);
    environment[start.container->name()] = start.environment;
    if (auto found = start_error.find(start.container->name()); found != start_error.end()) {
      return answer(std::move(done), Result<ContainerStarted>(std::unexpected(found->second)));
    }
    running[id] = loop_.clock().wall();
    uid_ = start.pod->metadata().uid();
    answer(std::move(done), ContainerStarted{.id = id, .at = running[id]});
  }
  void kill_container(const std::string& id, int signal) override {
    calls.push_back("kill " + id + " " + std::to_string(signal));
    if (signal == 9) {
      exit(id, 137, 9);
    } else if (dies_on_stop) {
      exit(id, 0);
    }
  }
  void remove_container(const std::string& id) override { calls.push_back("remove " + id); }
  Pending exec(const std::string& id, std::vector<std::string> command,
               Done<ExecOutcome> done) override {
    calls.push_back("exec " + id + " " + command.front());
    answer(std::move(done), ExecOutcome{});
    return {};
  }

  // A container ends by itself.
  void exit(const std::string& id, int code, int signal = 0) {
    loop_.post([this, id, code, signal] {
      const auto found = running.find(id);
      if (found == running.end()) return;
      ContainerExit exit{.pod_uid = uid_,
                         .container = id.substr(0, id.find('/')),
                         .id = id,
                         .exit_code = code,
                         .signal = signal,
                         .started = found->second,
                         .finished = loop_.clock().wall()};
      running.erase(found);
      exited_(exit);
    });
  }

  std::map<std::string, WallTime> running;
  std::map<std::string, Environment> environment;

 private:
  template <typename T>
  void answer(Done<T> done, Result<T> result) {
    loop_.post([done = std::move(done), result = std::move(result)]() mutable {
      done(std::move(result));
    });
  }
  template <typename T>
  void answer(Done<T> done, T value) {
    answer(std::move(done), Result<T>(std::move(value)));
  }

  Loop& loop_;
  std::function<void(const ContainerExit&)> exited_;
  std::string uid_;
};

class FakeAsker final : public Asker {
 public:
  explicit FakeAsker(Loop& loop) : loop_(loop) {}
  bool healthy = true;
  int asked = 0;

  Pending exec(const AskTarget&, const core::ExecAction&, Done done) override {
    return answer(std::move(done));
  }
  Pending http_get(const AskTarget&, const core::HTTPGetAction&, Done done) override {
    return answer(std::move(done));
  }
  Pending tcp_socket(const AskTarget&, const core::TCPSocketAction&, Done done) override {
    return answer(std::move(done));
  }

 private:
  Pending answer(Done done) {
    ++asked;
    const ProbeAnswer said{.ok = healthy, .text = healthy ? "" : "it is ill"};
    return loop_.after(1ms, [done = std::move(done), said]() mutable { done(said); });
  }
  Loop& loop_;
};

class FakeEvents final : public PodEvents {
 public:
  std::vector<std::string> seen;  // "Warning BackOff main: text"
  void record(const core::Pod&, std::string_view container, std::string_view type,
              std::string_view reason, std::string_view message) override {
    seen.push_back(fmt::format("{} {} {}: {}", type, reason, container, message));
  }
  int count(std::string_view reason) const {
    int found = 0;
    for (const auto& event : seen) found += event.find(reason) != std::string::npos;
    return found;
  }
};

inline std::shared_ptr<core::Pod> pod_from_text(const std::string& text) {
  auto pod = std::make_shared<core::Pod>();
  if (!google::protobuf::TextFormat::ParseFromString(text, pod.get())) std::abort();
  if (!pod->metadata().has_uid()) pod->mutable_metadata()->set_uid("uid-1");
  pod->mutable_metadata()->set_name("web");
  pod->mutable_metadata()->set_namespace_("default");
  return pod;
}

}  // namespace keelson
