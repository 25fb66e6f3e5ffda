// One probe of one container: when it is asked, and what its answers add up to.
#pragma once

#include <functional>
#include <string>

#include "base/loop.h"

namespace k8s::io::api::core::v1 {
class Probe;
}

namespace keelson {

struct ProbeAnswer {
  bool ok = false;
  std::string text;  // why not, as the event tells it
};

// Kubernetes' numbers (core/v1 Probe), with its defaults filled in by the API server.
struct ProbeTimes {
  Duration initial_delay{0};
  Duration period = 10s;
  Duration timeout = 1s;
  int success_threshold = 1;
  int failure_threshold = 3;
};
ProbeTimes times_of(const k8s::io::api::core::v1::Probe& probe);

// Asks, once at a time, until it is destroyed. Loop thread only.
class ProbeWorker {
 public:
  using Done = std::move_only_function<void(ProbeAnswer)>;
  // Starts one question; dropping the Pending gives it up. It need not watch the time.
  using Ask = std::function<Pending(Done)>;
  struct Listener {
    std::function<void(const std::string& why)> failed;  // each failure, for the event
    std::function<void(bool healthy)> decided;           // a threshold was reached; each time
  };

  ProbeWorker(Loop& loop, ProbeTimes times, Ask ask, Listener listener);

 private:
  void ask();
  void answered(ProbeAnswer answer);

  Loop& loop_;
  ProbeTimes times_;
  Ask ask_;
  Listener listener_;
  Instant asked_{};
  int successes_ = 0, failures_ = 0;  // in a row
  Pending timer_, question_;
};

}  // namespace keelson
