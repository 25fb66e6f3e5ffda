// What the node knows of a pod it runs, over restarts of the agent: everything a PodStatus is made
// of. Plain values; pod_worker.cpp changes them, pod_status.cpp reads them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace keelson {

// How one attempt of a container ended.
struct Termination {
  int exit_code = 0;
  int signal = 0;       // 0: it exited
  std::string reason;   // "Completed", "Error", "OOMKilled", "StartError" …
  std::string message;  // its own last words (terminationMessagePath), or why it did not start
  WallTime started{}, finished{};
  std::string container_id;
};

// One container of the pod over all its attempts.
struct ContainerRun {
  enum class Phase {
    Waiting,   // not started yet, or between two attempts
    Starting,  // a start is under way
    Running,
    Terminated,  // ended; whether it runs again is the restart policy's business
  };
  Phase phase = Phase::Waiting;
  std::string waiting_reason, waiting_message;  // empty: the default for where the pod stands
  std::string id;                               // of the newest attempt
  std::string image, image_id;                  // what runs: "keelson.local/hello:v1", a digest
  int restart_count = 0;
  WallTime started_at{};
  bool started = false;              // its startup probe has passed, or it has none
  bool ready = false;                // its readiness probe says so, or it has none
  std::optional<Termination> ended;  // of the newest attempt
  std::optional<Termination> last;   // of the one before
};

struct PodState {
  std::map<std::string, ContainerRun> init, main;  // by container name
  bool network_ready = false;                      // its sandbox stands
  std::vector<std::string> ips;
  std::string host_ip;
  std::optional<WallTime> start_time;  // the agent saw the pod first
  // The pod as a whole was refused or ended by the node ("OutOfcpu", "Evicted").
  std::string failed_reason, failed_message;
};

}  // namespace keelson
