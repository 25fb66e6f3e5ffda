// Waiting longer each time: how kubelet delays restarts and image pulls.
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace keelson {

// 10 s, 20 s … 5 min; forgotten after 10 min without a failure (kubelet's MaxContainerBackOff).
class RestartBackOff {
 public:
  // A failure at `now`: how long to wait from then. `free` failures at first cost nothing.
  Duration next(Instant now, int free) {
    if (now - failed_at_ > forget_after) failures_ = 0;
    failed_at_ = now;
    const int counted = failures_++ - free;
    if (counted < 0) return Duration(0);
    return std::min<Duration>(most, first * (1 << std::min(counted, 10)));
  }
  void reset() { failures_ = 0; }

 private:
  static constexpr Duration first = 10s, most = 300s, forget_after = 600s;
  int failures_ = 0;
  Instant failed_at_{};
};

}  // namespace keelson
