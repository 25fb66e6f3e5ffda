// Times and durations as Go writes and reads them.
#include "api/time_text.h"

#include <limits>

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(TimeText){};

TEST(TimeText, reads_any_offset_and_fraction) {
  struct Case {
    const char* text;
    std::int64_t seconds;
    std::int32_t nanos;
  };
  const Case cases[] = {{"1970-01-01T00:00:00Z", 0, 0},
                        {"2023-11-14T22:13:20Z", 1'700'000'000, 0},
                        {"2023-11-14T23:43:20+01:30", 1'700'000'000, 0},
                        {"2023-11-14T14:13:20.5-08:00", 1'700'000'000, 500'000'000},
                        {"2023-11-14T22:13:20.1234567891Z", 1'700'000'000, 123'456'789},
                        {"2024-02-29T00:00:00Z", 1'709'164'800, 0},
                        {"0001-01-01T00:00:00Z", time_seconds_min, 0},
                        {"9999-12-31T23:59:59Z", time_seconds_max, 0}};
  for (const auto& c : cases) {
    auto time = parse_time(c.text, false);
    CHECK_TEXT(time.has_value(), c.text);
    LONGS_EQUAL_TEXT(c.seconds, time->seconds, c.text);
    LONGS_EQUAL_TEXT(c.nanos, time->nanos, c.text);
  }
}

TEST(TimeText, refuses_what_is_no_time) {
  for (const char* text : {"", "2023", "2023-13-01T00:00:00Z", "2023-02-29T00:00:00Z",
                           "2023-01-01 00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:00:60Z",
                           "2023-01-01T00:00:00", "2023-01-01T00:00:00.Z", "2023-01-01T00:00:00Zx",
                           "2023-01-01T00:00:00+25:00", "-023-01-01T00:00:00Z"}) {
    CHECK_FALSE_TEXT(parse_time(text, false).has_value(), text);
  }
  CHECK(parse_time("2023-01-01T00:00:00.123456Z", true).has_value());
  CHECK_FALSE(parse_time("2023-01-01T00:00:00Z", true).has_value());
  CHECK_FALSE(parse_time("2023-01-01T00:00:00.12345Z", true).has_value());
}

TEST(TimeText, writes_times) {
  auto text = [](TimeParts time, bool micro) {
    std::string out;
    append_time(out, time, micro);
    return out;
  };
  CHECK_EQUAL(std::string("2023-11-14T22:13:20Z"), text({1'700'000'000, 999}, false));
  CHECK_EQUAL(std::string("2023-11-14T22:13:20.000001Z"), text({1'700'000'000, 1'999}, true));
  CHECK_EQUAL(std::string("9999-12-31T23:59:59Z"),
              text({std::numeric_limits<std::int64_t>::max(), 0}, false));
  CHECK_EQUAL(std::string("1969-12-31T23:59:59Z"), text({-1, 0}, false));
}

TEST(TimeText, writes_and_reads_durations) {
  struct Case {
    std::int64_t nanoseconds;
    const char* text;
  };
  const Case cases[] = {{0, "0s"},
                        {1, "1ns"},
                        {1'500, "1.5µs"},
                        {2'000'000, "2ms"},
                        {1'000'000'000, "1s"},
                        {300'000'000'000, "5m0s"},
                        {3'723'500'000'000, "1h2m3.5s"},
                        {-60'000'000'000, "-1m0s"}};
  for (const auto& c : cases) {
    CHECK_EQUAL_TEXT(std::string(c.text), go_duration_text(c.nanoseconds), c.text);
    LONGS_EQUAL_TEXT(c.nanoseconds, *parse_go_duration(c.text), c.text);
  }
  CHECK_EQUAL(std::string("-2562047h47m16.854775808s"),
              go_duration_text(std::numeric_limits<std::int64_t>::min()));
  LONGS_EQUAL(90'000'000'000, *parse_go_duration("1.5m"));
  LONGS_EQUAL(5'000, *parse_go_duration("+5us"));
  for (const char* text : {"", "5", "s", "1x", "1.2.3s", ".s", "-", "1h-1m", "9999999999h"}) {
    CHECK_FALSE_TEXT(parse_go_duration(text).has_value(), text);
  }
}
