// Splitting into lines, and the time of a batch as RFC 3339 with nanoseconds.
#include "isolation/spawner/cri_format.h"

#include <chrono>
#include <cstring>

namespace keelson::isolation {
namespace {

constexpr std::size_t prefix_size = sizeof "2026-11-28T08:30:55.123456789Z stdout F " - 1;
constexpr std::size_t tag_at = prefix_size - 2;

char* put_number(char* at, std::int64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
  return at + digits;
}

// Not by gmtime: in a static program it drags the world's time zones along.
void format_prefix(const LogBatch& batch, char* at) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time{nanoseconds{batch.time_ns}};
  const sys_days day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  at = put_number(at, static_cast<int>(date.year()), 4);
  *at++ = '-';
  at = put_number(at, static_cast<unsigned>(date.month()), 2);
  *at++ = '-';
  at = put_number(at, static_cast<unsigned>(date.day()), 2);
  *at++ = 'T';
  at = put_number(at, clock.hours().count(), 2);
  *at++ = ':';
  at = put_number(at, clock.minutes().count(), 2);
  *at++ = ':';
  at = put_number(at, clock.seconds().count(), 2);
  *at++ = '.';
  at = put_number(at, clock.subseconds().count(), 9);
  memcpy(at, batch.stream == 2 ? "Z stderr F " : "Z stdout F ", 11);
}

}  // namespace

bool format_log(const LogBatch& batch, LogSink& sink) {
  char prefix[prefix_size];
  format_prefix(batch, prefix);
  const char* at = batch.bytes;
  const char* const end = at + batch.size;
  while (at < end) {
    const auto left = static_cast<std::size_t>(end - at);
    const std::size_t most = left < log_line_max ? left : log_line_max;
    const auto* newline = static_cast<const char*>(memchr(at, '\n', most));
    const std::size_t size = newline == nullptr ? most : static_cast<std::size_t>(newline - at);
    prefix[tag_at] = newline == nullptr ? 'P' : 'F';
    if (!sink.put(prefix, prefix_size) || !sink.put(at, size) || !sink.put("\n", 1)) return false;
    at += size + (newline == nullptr ? 0 : 1);
  }
  return true;
}

}  // namespace keelson::isolation
