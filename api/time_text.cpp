// RFC 3339 and Go's durations.
#include "api/time_text.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "api/go_text.h"

namespace keelson {
namespace {

constexpr std::string_view layout_seconds = "2006-01-02T15:04:05Z07:00";
constexpr std::string_view layout_micros = "2006-01-02T15:04:05.000000Z07:00";

constexpr std::int64_t nanos_per_second = 1'000'000'000;

// Reads a text from the front; the first thing that does not fit is remembered.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    if (rest_.size() < count) ok_ = false;
    for (std::size_t i = 0; ok_ && i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') ok_ = false;
      value = value * 10 + (rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(count);
    return value;
  }

  void literal(char c) {
    if (!rest_.starts_with(c)) ok_ = false;
    if (ok_) rest_.remove_prefix(1);
  }

  // ".5": nanoseconds; 0 if there is none.
  std::int32_t fraction() {
    if (!ok_ || !(rest_.starts_with('.') || rest_.starts_with(','))) return 0;
    std::int32_t nanos = 0;
    std::size_t i = 1;
    std::int32_t unit = 100'000'000;
    for (; i < rest_.size() && rest_[i] >= '0' && rest_[i] <= '9'; ++i, unit /= 10) {
      nanos += (rest_[i] - '0') * unit;
    }
    if (i == 1) ok_ = false;
    rest_.remove_prefix(ok_ ? i : 0);
    return nanos;
  }

  // "Z" or "+01:30"; seconds east.
  std::int64_t offset() {
    if (rest_.starts_with('Z')) {
      rest_.remove_prefix(1);
      return 0;
    }
    const bool west = rest_.starts_with('-');
    if (!west) {
      literal('+');
    } else {
      literal('-');
    }
    const int hours = digits(2);
    literal(':');
    const int minutes = digits(2);
    if (hours > 24 || minutes > 60) ok_ = false;
    const std::int64_t seconds = hours * 3600 + minutes * 60;
    return west ? -seconds : seconds;
  }

  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr Unit units[] = {
    {"ns", 1},
    {"us", 1'000},
    {"µs", 1'000},
    {"μs", 1'000},
    {"ms", 1'000'000},
    {"s", nanos_per_second},
    {"m", 60 * nanos_per_second},
    {"h", 3600 * nanos_per_second},
};

std::unexpected<Error> fail_duration(std::string_view text) {
  return fail(Reason::BadRequest, "time: invalid duration {}", go_quote(text));
}

// value: nanoseconds, less than a second, not zero. "1.5ms".
std::string short_duration_text(std::uint64_t value) {
  if (value < 1'000) return fmt::format("{}ns", value);
  const bool micros = value < 1'000'000;
  std::string text;
  append_go_float(text, static_cast<double>(value) / (micros ? 1e3 : 1e6));
  return text + (micros ? "µs" : "ms");
}

}  // namespace

void append_time(std::string& out, TimeParts time, bool micro) {
  using namespace std::chrono;
  const sys_seconds at{seconds{std::clamp(time.seconds, time_seconds_min, time_seconds_max)}};
  const sys_days day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss clock(at - day);
  std::array<char, 32> text;
  auto put = [&](std::size_t at_index, int width, unsigned value) {
    for (int i = width - 1; i >= 0; --i, value /= 10) {
      text[at_index + static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
    }
  };
  constexpr std::string_view shape = "0000-00-00T00:00:00.000000Z";
  std::ranges::copy(shape, text.begin());
  put(0, 4, static_cast<unsigned>(static_cast<int>(date.year())));
  put(5, 2, static_cast<unsigned>(date.month()));
  put(8, 2, static_cast<unsigned>(date.day()));
  put(11, 2, static_cast<unsigned>(clock.hours().count()));
  put(14, 2, static_cast<unsigned>(clock.minutes().count()));
  put(17, 2, static_cast<unsigned>(clock.seconds().count()));
  if (micro) {
    put(20, 6, static_cast<unsigned>(std::clamp(time.nanos, 0, 999'999'999) / 1'000));
    out.append(text.data(), shape.size());
  } else {
    out.append(text.data(), 19);
    out += 'Z';
  }
}

Result<TimeParts> parse_time(std::string_view text, bool micro) {
  TimeReader reader(text);
  using namespace std::chrono;
  const int year_number = reader.digits(4);
  reader.literal('-');
  const int month_number = reader.digits(2);
  reader.literal('-');
  const int day_number = reader.digits(2);
  reader.literal('T');
  const int hours_number = reader.digits(2);
  reader.literal(':');
  const int minutes_number = reader.digits(2);
  reader.literal(':');
  const int seconds_number = reader.digits(2);
  const std::size_t before_fraction = reader.rest().size();
  const std::int32_t nanos = reader.fraction();
  const bool six_digits = before_fraction - reader.rest().size() == 7;
  const std::int64_t offset = reader.offset();
  const std::string_view layout = micro ? layout_micros : layout_seconds;
  if (!reader.ok() || !reader.rest().empty() || (micro && !six_digits)) {
    return fail(Reason::BadRequest, "parsing time {} as {}: cannot parse it as {}", go_quote(text),
                go_quote(layout), go_quote(layout));
  }
  const year_month_day date = year{year_number} / month_number / day_number;
  if (!date.ok() || hours_number > 23 || minutes_number > 59 || seconds_number > 59) {
    return fail(Reason::BadRequest, "parsing time {}: day, month or time of day out of range",
                go_quote(text));
  }
  const std::int64_t day_seconds = hours_number * 3600 + minutes_number * 60 + seconds_number;
  const auto midnight = duration_cast<seconds>(sys_days(date).time_since_epoch()).count();
  return TimeParts{midnight + day_seconds - offset, nanos};
}

std::string time_text(WallTime at) {
  std::string text;
  append_time(text, {std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count(), 0},
              false);
  return text;
}

std::string go_duration_text(std::int64_t nanoseconds) {
  if (nanoseconds == 0) return "0s";
  const bool negative = nanoseconds < 0;
  // In unsigned arithmetic the least number has an absolute value too.
  auto size = static_cast<std::uint64_t>(nanoseconds);
  if (negative) size = 0 - size;
  std::string text = negative ? "-" : "";
  constexpr auto second = static_cast<std::uint64_t>(nanos_per_second);
  if (size < second) return text + short_duration_text(size);
  const std::uint64_t total = size / second;
  if (total >= 3600) text += fmt::format("{}h", total / 3600);
  if (total >= 60) text += fmt::format("{}m", total / 60 % 60);
  text += std::to_string(total % 60);
  if (const std::uint64_t rest = size % second; rest != 0) {
    std::string fraction = fmt::format(".{:09}", rest);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += fraction;
  }
  return text + "s";
}

Result<std::int64_t> parse_go_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return 0;
  if (rest.empty()) return fail_duration(text);
  __int128 sum = 0;
  while (!rest.empty()) {
    const std::size_t number_size = rest.find_first_not_of("0123456789.");
    if (number_size == 0 || number_size == std::string_view::npos) return fail_duration(text);
    const std::string_view number = rest.substr(0, number_size);
    rest.remove_prefix(number_size);
    const std::string_view unit_name = rest.substr(0, rest.find_first_of("0123456789."));
    rest.remove_prefix(unit_name.size());
    const auto* unit = std::ranges::find(units, unit_name, &Unit::name);
    if (unit == std::end(units)) return fail_duration(text);
    __int128 value = 0;
    __int128 scale = unit->nanoseconds;
    bool fraction = false, any = false;
    for (char c : number) {
      if (c == '.' && fraction) return fail_duration(text);
      if (c == '.') {
        fraction = true;
        continue;
      }
      any = true;
      if (fraction) {
        value += (c - '0') * (scale /= 10);
      } else {
        value = value * 10 + (c - '0') * unit->nanoseconds;
      }
      if (value > std::numeric_limits<std::int64_t>::max()) return fail_duration(text);
    }
    if (!any) return fail_duration(text);
    sum += value;
    if (sum > std::numeric_limits<std::int64_t>::max()) return fail_duration(text);
  }
  return static_cast<std::int64_t>(negative ? -sum : sum);
}

}  // namespace keelson
