// Time, handed in: everything that asks what time it is asks a Clock.
#pragma once

#include <chrono>
#include <string>

namespace keelson {

using Duration = std::chrono::nanoseconds;
// Never steps back; for durations, timeouts and back-off. Means nothing outside this process.
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;
// What objects carry (creationTimestamp …). May step.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

using namespace std::chrono_literals;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  WallTime wall() const override;
};

}  // namespace keelson
