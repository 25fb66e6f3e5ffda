// Points and spans of time as Kubernetes writes them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace keelson {

// What years 1 to 9999 are, in seconds since 1970: what RFC 3339 can write.
inline constexpr std::int64_t time_seconds_min = -62'135'596'800;
inline constexpr std::int64_t time_seconds_max = 253'402'300'799;

struct TimeParts {
  std::int64_t seconds = 0;  // since 1970
  std::int32_t nanos = 0;
};

// "2006-01-02T15:04:05Z"; micro: "2006-01-02T15:04:05.000000Z". Clamped to what can be written.
void append_time(std::string& out, TimeParts time, bool micro);
// With any offset. micro: exactly six digits of a second must be there, as Go's layout has them;
// else any number may. Invalid: in the words of Go's time.Parse.
Result<TimeParts> parse_time(std::string_view text, bool micro);

std::string time_text(WallTime at);  // whole seconds

// "1h2m3.5s", as Go's time.Duration prints itself; parses what Go's ParseDuration does.
std::string go_duration_text(std::int64_t nanoseconds);
Result<std::int64_t> parse_go_duration(std::string_view text);

}  // namespace keelson
