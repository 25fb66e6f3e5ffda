// Statuses as kubelet would write them.
#include "nodeagent/pod_status.h"

#include "tests/nodeagent/fake_node.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(PodStatus) {
  WallTime now{std::chrono::seconds(1'000)};
  ContainerRun running() {
    return {.phase = ContainerRun::Phase::Running, .id = "c1", .started = true, .ready = true};
  }
  ContainerRun ended(int code) {
    return {.phase = ContainerRun::Phase::Terminated, .ended = Termination{.exit_code = code}};
  }
  ContainerRun between(int code) {
    return {.last = Termination{.exit_code = code}};
  }
  const core::PodCondition& condition(const core::PodStatus& status, const std::string& type) {
    for (const auto& c : status.conditions()) {
      if (c.type() == type) return c;
    }
    FAIL(type.c_str());
    std::abort();
  }
};

TEST(PodStatus, phase_follows_the_containers_and_the_policy) {
  struct Case {
    const char* policy;
    ContainerRun a, b;
    PodPhase phase;
  };
  const Case cases[] = {
      {"Always", {}, {}, PodPhase::Pending},
      {"Always", running(), {}, PodPhase::Pending},
      {"Always", running(), running(), PodPhase::Running},
      {"Always", running(), between(1), PodPhase::Running},
      {"Always", ended(0), ended(0), PodPhase::Running},
      {"Never", ended(0), running(), PodPhase::Running},
      {"Never", ended(0), ended(0), PodPhase::Succeeded},
      {"Never", ended(0), ended(1), PodPhase::Failed},
      {"OnFailure", ended(0), ended(0), PodPhase::Succeeded},
      {"OnFailure", ended(0), ended(1), PodPhase::Running},
      {"OnFailure", between(1), ended(0), PodPhase::Running},
  };
  int row = 0;
  for (const Case& c : cases) {
    const auto pod =
        pod_from_text(fmt::format("spec {{ restartPolicy: \"{}\" containers {{ name: \"a\" }} "
                                  "containers {{ name: \"b\" }} }}",
                                  c.policy));
    PodState state{.main = {{"a", c.a}, {"b", c.b}}};
    LONGS_EQUAL_TEXT(static_cast<int>(c.phase), static_cast<int>(phase_of(*pod, state)),
                     std::to_string(row++).c_str());
  }
}

TEST(PodStatus, names_the_containers_that_are_not_ready) {
  const auto pod = pod_from_text("spec { containers { name: \"a\" } containers { name: \"b\" } }");
  const auto status = make_pod_status(*pod, {.main = {{"a", running()}}}, now);
  CHECK_EQUAL(std::string("containers with unready status: [b]"),
              condition(status, "Ready").message());
  CHECK_EQUAL(std::string("ContainersNotReady"), condition(status, "ContainersReady").reason());
}

TEST(PodStatus, a_readiness_gate_holds_back_ready_alone) {
  const auto pod = pod_from_text(
      "spec { containers { name: \"a\" } readinessGates { conditionType: \"x/y\" } }");
  const PodState state{.main = {{"a", running()}}};
  auto status = make_pod_status(*pod, state, now);
  CHECK_EQUAL(std::string("False"), condition(status, "Ready").status());
  CHECK_EQUAL(std::string("True"), condition(status, "ContainersReady").status());
  auto& gate = *pod->mutable_status()->add_conditions();
  gate.set_type("x/y");
  gate.set_status("True");
  status = make_pod_status(*pod, state, now);
  CHECK_EQUAL(std::string("True"), condition(status, "Ready").status());
  CHECK_EQUAL(std::string("True"), condition(status, "x/y").status());  // not ours, so it stays
}

TEST(PodStatus, a_condition_keeps_its_time_until_it_changes) {
  const auto pod = pod_from_text("spec { containers { name: \"a\" } }");
  PodState state{.main = {{"a", running()}}};
  *pod->mutable_status() = make_pod_status(*pod, state, now);
  const auto later = make_pod_status(*pod, state, now + 60s);
  CHECK_EQUAL(pod->status().SerializeAsString(), later.SerializeAsString());
  state.main["a"].ready = false;
  const auto unready = make_pod_status(*pod, state, now + 60s);
  LONGS_EQUAL(1'060, condition(unready, "Ready").lasttransitiontime().seconds());
  LONGS_EQUAL(1'000, condition(unready, "Initialized").lasttransitiontime().seconds());
}

TEST(PodStatus, a_refused_pod_is_failed_with_its_reason) {
  const auto pod = pod_from_text("spec { containers { name: \"a\" } }");
  const auto status =
      make_pod_status(*pod, {.failed_reason = "OutOfcpu", .failed_message = "too little"}, now);
  CHECK_EQUAL(std::string("Failed"), status.phase());
  CHECK_EQUAL(std::string("OutOfcpu"), status.reason());
  CHECK_EQUAL(std::string("PodFailed"), condition(status, "Ready").reason());
}
