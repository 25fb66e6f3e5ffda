// A pod's life in virtual time: order of steps, restarts, probes, ends, and what a new agent finds.
#include "nodeagent/pod_worker.h"

#include <unistd.h>

#include <filesystem>

#include "nodeagent/pod_status.h"
#include "tests/nodeagent/fake_node.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(PodWorker) {
  SimLoop loop;
  FakeRuntime runtime{loop};
  FakeAsker asker{loop};
  FakeEvents events;
  ObjectIndex view;
  std::string folder;
  std::unique_ptr<PodVolumes> volumes;
  std::unique_ptr<PodWorker> worker;
  bool gone = false;

  void setup() override {
    std::string pattern = std::filesystem::temp_directory_path() / "keelson-pod-XXXXXX";
    folder = ::mkdtemp(pattern.data());
    volumes = std::make_unique<PodVolumes>(folder + "/disk", folder + "/memory", view);
  }
  void teardown() override {
    worker.reset();
    volumes.reset();
    std::filesystem::remove_all(folder);
    runtime.calls = {};
    runtime.image_error = {};
    events.seen = {};
  }
  PodWorker& make(std::shared_ptr<core::Pod> pod) {
    worker = std::make_unique<PodWorker>(PodHands{loop, runtime, asker, events, view}, *volumes,
                                         PodPlace{.host_ip = "10.89.0.11"}, std::move(pod),
                                         PodWorker::Listener{[] {}, [this] { gone = true; }});
    runtime.on_exit([this](const ContainerExit& exit) { worker->exited(exit); });
    return *worker;
  }
  PodWorker& run(const std::string& text) {
    make(pod_from_text(text)).begin();
    loop.settle();
    loop.run_for(1ms);
    return *worker;
  }
  core::PodStatus status() {
    return make_pod_status(worker->pod(), worker->state(), loop.clock().wall());
  }
  std::string condition(const char* type) {
    const core::PodStatus now = status();
    for (const auto& c : now.conditions()) {
      if (c.type() == type) return c.status();
    }
    return "absent";
  }
  std::string waiting() {
    return status().containerstatuses(0).state().waiting().reason();
  }
  void expect_calls(const std::vector<std::string>& wanted) {
    std::string got, want;
    for (const auto& call : runtime.calls) got += call + "; ";
    for (const auto& call : wanted) want += call + "; ";
    CHECK_EQUAL(want, got);
    runtime.calls.clear();
  }
};

constexpr const char* plain = R"(spec { restartPolicy: "Always" terminationGracePeriodSeconds: 30
  containers { name: "main" image: "hello:v1" } })";

TEST(PodWorker, makes_the_sandbox_then_starts_the_container_and_is_ready) {
  run(plain);
  expect_calls({"sandbox", "image hello:v1", "start main/0"});
  CHECK_EQUAL(std::string("Running"), status().phase());
  CHECK_EQUAL(std::string("True"), condition("Ready"));
  CHECK_EQUAL(std::string("10.88.0.5"), status().podip());
}

TEST(PodWorker, runs_init_containers_one_after_the_other_first) {
  run(R"(spec { restartPolicy: "Always"
    initContainers { name: "a" image: "i" } initContainers { name: "b" image: "i" }
    containers { name: "main" image: "hello:v1" } })");
  expect_calls({"sandbox", "image i", "start a/0"});
  CHECK_EQUAL(std::string("Pending"), status().phase());
  CHECK_EQUAL(std::string("PodInitializing"), waiting());
  runtime.exit("a/0", 0);
  loop.run_for(1ms);
  expect_calls({"image i", "start b/0"});
  runtime.exit("b/0", 0);
  loop.run_for(1ms);
  expect_calls({"image hello:v1", "start main/0"});
  CHECK_EQUAL(std::string("True"), condition("Initialized"));
}

TEST(PodWorker, a_failed_init_container_is_tried_again_unless_the_policy_is_never) {
  const std::string body = R"(initContainers { name: "a" image: "i" }
    containers { name: "main" image: "m" } })";
  run("spec { restartPolicy: \"OnFailure\" " + body);
  runtime.exit("a/0", 3);
  loop.run_for(1ms);
  expect_calls({"sandbox", "image i", "start a/0", "image i", "start a/1"});

  run("spec { restartPolicy: \"Never\" " + body);
  runtime.exit("a/0", 3);
  loop.run_for(1ms);
  CHECK_EQUAL(std::string("Failed"), status().phase());
  expect_calls({"sandbox", "image i", "start a/0", "stop sandbox"});
}

TEST(PodWorker, restarts_at_once_then_backs_off_ten_seconds_and_twice_as_long) {
  run(plain);
  runtime.calls.clear();
  runtime.exit("main/0", 1);
  loop.run_for(1ms);
  expect_calls({"image hello:v1", "start main/1"});
  runtime.exit("main/1", 1);
  loop.run_for(500ms);
  CHECK_EQUAL(std::string("Error"), status().containerstatuses(0).state().terminated().reason());
  loop.run_for(1s);
  CHECK_EQUAL(std::string("CrashLoopBackOff"), waiting());
  LONGS_EQUAL(1, status().containerstatuses(0).restartcount());
  LONGS_EQUAL(1, status().containerstatuses(0).laststate().terminated().exitcode());
  expect_calls({});
  loop.run_for(9s);
  expect_calls({"image hello:v1", "start main/2", "remove main/0"});
  runtime.exit("main/2", 1);
  loop.run_for(19s);
  expect_calls({});
  loop.run_for(2s);
  expect_calls({"image hello:v1", "start main/3", "remove main/1"});
}

TEST(PodWorker, an_image_that_is_not_there_is_asked_for_again) {
  runtime.image_error["hello:v1"] = {Reason::NotFound, "not in the store", nullptr};
  run(plain);
  CHECK_EQUAL(std::string("ErrImagePull"), waiting());
  loop.run_for(1500ms);
  CHECK_EQUAL(std::string("ImagePullBackOff"), waiting());
  LONGS_EQUAL(0, status().containerstatuses(0).restartcount());
  runtime.image_error.clear();
  loop.run_for(10s);
  CHECK_EQUAL(std::string("Running"), status().phase());
}

TEST(PodWorker, a_missing_config_map_holds_the_container_until_it_is_there) {
  run(R"(spec { restartPolicy: "Always" containers { name: "main" image: "m"
    env { name: "A" valueFrom { configMapKeyRef {
      localObjectReference { name: "settings" } key: "a" } } } } })");
  CHECK_EQUAL(std::string("CreateContainerConfigError"), waiting());
  CHECK_EQUAL(std::string("configmap \"settings\" not found"),
              status().containerstatuses(0).state().waiting().message());
}

TEST(PodWorker, what_cannot_start_is_terminated_with_128) {
  runtime.start_error["main"] = {Reason::NotFound, "exec: \"nope\": not found", nullptr};
  run(R"(spec { restartPolicy: "Never" containers { name: "main" image: "m" } })");
  const core::PodStatus now = status();
  const auto& end = now.containerstatuses(0).state().terminated();
  LONGS_EQUAL(128, end.exitcode());
  CHECK_EQUAL(std::string("StartError"), end.reason());
  CHECK_EQUAL(std::string("Failed"), status().phase());
}

TEST(PodWorker, readiness_follows_the_probe_both_ways) {
  asker.healthy = false;
  run(R"(spec { restartPolicy: "Always" containers { name: "main" image: "m"
    readinessProbe { handler { tcpSocket {} } periodSeconds: 1 failureThreshold: 2 } } })");
  loop.run_for(5s);
  CHECK_EQUAL(std::string("False"), condition("Ready"));
  asker.healthy = true;
  loop.run_for(1s);
  CHECK_EQUAL(std::string("True"), condition("Ready"));
  asker.healthy = false;
  loop.run_for(1s);
  CHECK_EQUAL(std::string("True"), condition("Ready"));  // one failure of two
  loop.run_for(1s);
  CHECK_EQUAL(std::string("False"), condition("Ready"));
}

TEST(PodWorker, a_failing_liveness_probe_restarts_the_container) {
  run(R"(spec { restartPolicy: "Always" terminationGracePeriodSeconds: 5
    containers { name: "main" image: "m"
      livenessProbe { handler { exec {} } periodSeconds: 1 failureThreshold: 3 } } })");
  runtime.calls.clear();
  asker.healthy = false;
  loop.run_for(4s);
  expect_calls({"kill main/0 0", "image m", "start main/1"});
  LONGS_EQUAL(1, events.count("Killing"));
}

TEST(PodWorker, liveness_waits_for_the_startup_probe) {
  asker.healthy = false;
  run(R"(spec { restartPolicy: "Always" containers { name: "main" image: "m"
    startupProbe { handler { tcpSocket {} } periodSeconds: 1 failureThreshold: 30 }
    livenessProbe { handler { tcpSocket {} } periodSeconds: 1 failureThreshold: 1 } } })");
  loop.run_for(10s);
  CHECK(runtime.running.contains("main/0"));
  CHECK(!status().containerstatuses(0).started());
  CHECK_EQUAL(std::string("False"), condition("Ready"));
  asker.healthy = true;
  loop.run_for(2s);
  CHECK(status().containerstatuses(0).started());
  CHECK_EQUAL(std::string("True"), condition("Ready"));
}

TEST(PodWorker, ends_with_the_stop_signal_and_cleans_up) {
  run(plain);
  runtime.calls.clear();
  worker->end(30s, {});
  loop.run_for(1ms);
  expect_calls({"kill main/0 0", "remove pod"});
  CHECK(gone);
}

TEST(PodWorker, kills_what_does_not_heed_the_signal_when_its_grace_is_over) {
  runtime.dies_on_stop = false;
  run(plain);
  runtime.calls.clear();
  worker->end(30s, {});
  loop.run_for(29s);
  expect_calls({"kill main/0 0"});
  CHECK(!gone);
  loop.run_for(2s);
  expect_calls({"kill main/0 9", "remove pod"});
  CHECK(gone);
}

TEST(PodWorker, a_second_delete_shortens_the_grace) {
  runtime.dies_on_stop = false;
  run(plain);
  worker->end(30s, {});
  loop.run_for(1s);
  worker->end(2s, {});
  loop.run_for(2500ms);
  CHECK(gone);
}

TEST(PodWorker, runs_the_pre_stop_hook_before_the_signal) {
  run(R"(spec { restartPolicy: "Always" terminationGracePeriodSeconds: 30
    containers { name: "main" image: "m" lifecycle { preStop { sleep { seconds: 5 } } } } })");
  runtime.calls.clear();
  worker->end(30s, {});
  loop.run_for(4s);
  expect_calls({});
  loop.run_for(2s);
  expect_calls({"kill main/0 0", "remove pod"});
}

TEST(PodWorker, a_hook_that_uses_up_the_grace_leaves_two_seconds) {
  runtime.dies_on_stop = false;
  run(R"(spec { restartPolicy: "Always" terminationGracePeriodSeconds: 3
    containers { name: "main" image: "m" lifecycle { preStop { sleep { seconds: 60 } } } } })");
  runtime.calls.clear();
  worker->end(3s, {});
  loop.run_for(3500ms);
  expect_calls({"kill main/0 0"});
  loop.run_for(2s);
  expect_calls({"kill main/0 9", "remove pod"});
}

TEST(PodWorker, jobs_end_as_succeeded_or_failed) {
  struct Case {
    const char* policy;
    int code;
    const char* phase;
  };
  const Case cases[] = {{"Never", 0, "Succeeded"},
                        {"Never", 2, "Failed"},
                        {"OnFailure", 0, "Succeeded"},
                        {"OnFailure", 2, "Running"},
                        {"Always", 0, "Running"}};
  for (const Case& c : cases) {
    run(fmt::format("spec {{ restartPolicy: \"{}\" containers {{ name: \"main\" image: \"m\" }} }}",
                    c.policy));
    runtime.exit("main/0", c.code);
    loop.run_for(1ms);
    CHECK_EQUAL_TEXT(std::string(c.phase), status().phase(), c.policy);
  }
}

TEST(PodWorker, a_failing_sandbox_is_told_once_and_tried_again) {
  runtime.sandbox_error = {Reason::InternalError, "no address is left in 10.88.0.0/24", nullptr};
  run(plain);
  loop.run_for(3s);
  LONGS_EQUAL(1, events.count("FailedCreatePodSandBox"));
  runtime.sandbox_error = {};
  loop.run_for(30s);
  CHECK_EQUAL(std::string("Running"), status().phase());
}

TEST(PodWorker, a_new_agent_takes_over_what_runs) {
  auto pod = pod_from_text(plain);
  make(pod);
  runtime.running["main/2"] = loop.clock().wall();
  worker->adopt(FoundSandbox{.pod_uid = "uid-1", .ips = {"10.88.0.9"}});
  worker->adopt(
      FoundContainer{.pod_uid = "uid-1", .container = "main", .id = "main/2", .attempt = 2});
  worker->begin();
  loop.run_for(5s);
  expect_calls({});
  LONGS_EQUAL(2, status().containerstatuses(0).restartcount());
  CHECK_EQUAL(std::string("10.88.0.9"), status().podip());
  CHECK_EQUAL(std::string("True"), condition("Ready"));
}

TEST(PodWorker, a_new_agent_sees_an_end_it_missed) {
  make(pod_from_text(plain));
  worker->adopt(FoundSandbox{.pod_uid = "uid-1", .ips = {"10.88.0.9"}});
  worker->adopt(
      FoundContainer{.container = "main",
                     .id = "main/0",
                     .exit = ContainerExit{.container = "main", .id = "main/0", .exit_code = 4}});
  worker->begin();
  loop.run_for(1ms);
  expect_calls({"image hello:v1", "start main/1"});
  LONGS_EQUAL(4, status().containerstatuses(0).laststate().terminated().exitcode());
}

TEST(PodWorker, after_a_reboot_it_starts_again_and_says_what_was_lost) {
  run(R"(spec { restartPolicy: "Always" containers { name: "main" image: "m" } }
    status { phase: "Running" containerStatuses { name: "main" restartCount: 3
      containerID: "keelson://old" state { running { startedAt { seconds: 1 } } } } })");
  expect_calls({"sandbox", "image m", "start main/4"});
  CHECK_EQUAL(std::string("ContainerStatusUnknown"),
              status().containerstatuses(0).laststate().terminated().reason());
}

TEST(PodWorker, what_has_succeeded_before_a_reboot_does_not_run_again) {
  run(R"(spec { restartPolicy: "Never" containers { name: "main" image: "m" } }
    status { phase: "Succeeded" })");
  loop.run_for(10s);
  expect_calls({});
  CHECK(worker->is_finished());
}

TEST(PodWorker, a_refused_pod_fails_and_never_starts) {
  make(pod_from_text(plain)).refuse("OutOfcpu", "Node didn't have enough resource: cpu");
  worker->begin();
  loop.run_for(5s);
  expect_calls({});
  CHECK_EQUAL(std::string("Failed"), status().phase());
  CHECK_EQUAL(std::string("OutOfcpu"), status().reason());
}
