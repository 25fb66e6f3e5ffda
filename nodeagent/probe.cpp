// The clock of a probe.
#include "nodeagent/probe.h"

#include <fmt/core.h>

#include "api/proto/core/v1/container.pb.h"

namespace keelson {

ProbeTimes times_of(const k8s::io::api::core::v1::Probe& probe) {
  auto or_default = [](std::int32_t value, std::int32_t otherwise) {
    return value > 0 ? value : otherwise;
  };
  return {.initial_delay = std::chrono::seconds(probe.initialdelayseconds()),
          .period = std::chrono::seconds(or_default(probe.periodseconds(), 10)),
          .timeout = std::chrono::seconds(or_default(probe.timeoutseconds(), 1)),
          .success_threshold = or_default(probe.successthreshold(), 1),
          .failure_threshold = or_default(probe.failurethreshold(), 3)};
}

ProbeWorker::ProbeWorker(Loop& loop, ProbeTimes times, Ask ask, Listener listener)
    : loop_(loop), times_(times), ask_(std::move(ask)), listener_(std::move(listener)) {
  timer_ = loop_.after(times_.initial_delay, [this] { this->ask(); });
}

void ProbeWorker::ask() {
  asked_ = loop_.clock().now();
  timer_ = loop_.after(times_.timeout, [this] {
    answered({.ok = false, .text = fmt::format("timed out after {} s", times_.timeout / 1s)});
  });
  question_ = ask_([this](ProbeAnswer answer) { answered(std::move(answer)); });
}

void ProbeWorker::answered(ProbeAnswer answer) {
  question_.reset();
  // The period runs from question to question, however long an answer took.
  timer_ = loop_.after(times_.period - (loop_.clock().now() - asked_), [this] { ask(); });
  successes_ = answer.ok ? successes_ + 1 : 0;
  failures_ = answer.ok ? 0 : failures_ + 1;
  // The listener comes last: it may destroy this worker.
  const bool decided =
      answer.ok ? successes_ >= times_.success_threshold : failures_ >= times_.failure_threshold;
  const Listener listener = listener_;
  if (!answer.ok) listener.failed(answer.text);
  if (decided) listener.decided(answer.ok);
}

}  // namespace keelson
