// Quantities: the whole grammar, canonical texts, rounding.
#include "api/quantity.h"

#include <limits>

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Quantity){};

TEST(Quantity, is_written_in_canonical_form) {
  struct Case {
    const char* in;
    const char* out;
  };
  const Case cases[] = {
      {"0", "0"},
      {"0n", "0"},
      {"0Ki", "0"},
      {"-0", "0"},
      {"+1", "1"},
      {"1000m", "1"},
      {"0.5", "500m"},
      {"1.5", "1500m"},
      {"1024Mi", "1Gi"},
      {"1500", "1500"},
      {"1000", "1k"},
      {"1000000", "1M"},
      {"1.1G", "1100M"},
      {"1.5Gi", "1536Mi"},
      {"0.5Gi", "512Mi"},
      {"0.3Gi", "322122547200m"},
      {"1023Ki", "1023Ki"},
      {"1Ki", "1Ki"},
      {"1024", "1024"},
      {"0.5Ki", "512"},
      {"1e3", "1e3"},
      {"1500e3", "1500e3"},
      {"1.5e3", "1500"},
      {"12E6", "12e6"},
      {"1e-3", "1e-3"},
      {"100e-3", "100e-3"},
      {"0.1", "100m"},
      {"0.0001", "100u"},
      {"1.23456789", "1234567890n"},
      {"0.1n", "1n"},
      {"1.0000000001", "1000000001n"},
      {"-1.5", "-1500m"},
      {"-0.1n", "-1n"},
      {"1E", "1E"},
      {"1000E", "1e21"},
      {".5", "500m"},
      {"5.", "5"},
      {"m", "0"},
      {"00012", "12"},
      {"100Ei", "9223372036854775807"},
      {"8Ei", "9223372036854775807"},
      {"7Ei", "7Ei"},
      {"2Ei", "2Ei"},
      {"1e+3", "1e3"},
      {"18446744073709551616", "18446744073709551616"},
      {"512Mi", "512Mi"},
  };
  for (const auto& c : cases) {
    auto parsed = Quantity::parse(c.in);
    CHECK_TEXT(parsed.has_value(), c.in);
    CHECK_EQUAL_TEXT(std::string(c.out), parsed->text(), c.in);
    CHECK_EQUAL_TEXT(parsed->text(), Quantity::parse(parsed->text())->text(), c.in);
  }
}

TEST(Quantity, refuses_what_is_none) {
  struct Case {
    const char* in;
    bool suffix;  // it is the suffix that is wrong
  };
  const Case cases[] = {{"", false},      {"abc", false},
                        {"1.2.3", false}, {"1 Gi", false},
                        {"--1", true},    {"1x", false},
                        {"0x10", false},  {"1Gib", false},
                        {"1mm", true},    {"1KiK", true},
                        {"1e", true},     {"1ee3", true},
                        {"1K", true},     {"1e99999999999999999999", true}};
  for (const auto& c : cases) {
    auto parsed = Quantity::parse(c.in);
    CHECK_FALSE_TEXT(parsed.has_value(), c.in);
    CHECK_EQUAL_TEXT(c.suffix, parsed.error().message == "unable to parse quantity's suffix", c.in);
  }
}

TEST(Quantity, rounds_away_from_zero) {
  struct Case {
    const char* text;
    std::int64_t value, milli;
  };
  const Case cases[] = {{"100m", 1, 100},         {"1", 1, 1'000},          {"1.5", 2, 1'500},
                        {"-1.5", -2, -1'500},     {"2k", 2'000, 2'000'000}, {"1n", 1, 1},
                        {"1Ki", 1'024, 1'024'000}};
  for (const auto& c : cases) {
    LONGS_EQUAL_TEXT(c.value, Quantity::parse(c.text)->value(), c.text);
    LONGS_EQUAL_TEXT(c.milli, Quantity::parse(c.text)->milli(), c.text);
  }
}

TEST(Quantity, saturates) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(Quantity::parse("1e30")->value() == most);
  CHECK(Quantity::parse("1e999999999")->milli() == most);
  CHECK(Quantity::parse("-1e30")->value() == std::numeric_limits<std::int64_t>::min());
  CHECK(Quantity::parse("1e-999999999")->text() == "1e-9");
  const Quantity huge = *Quantity::parse("1e300");
  CHECK((huge + huge).value() == most);
  CHECK(Quantity::parse(std::string(10'000, '9'))->value() == most);
}

TEST(Quantity, adds_and_compares) {
  const Quantity one = *Quantity::parse("1Gi"), half = *Quantity::parse("512Mi");
  CHECK_EQUAL(std::string("1536Mi"), (one + half).text());
  CHECK_EQUAL(std::string("512Mi"), (one - half).text());
  CHECK_EQUAL(std::string("1Gi"), (Quantity() + one).text());
  CHECK(half < one);
  CHECK(*Quantity::parse("1") == *Quantity::parse("1000m"));
  CHECK_EQUAL(std::string("100m"), Quantity::from_milli(100).text());
  CHECK_EQUAL(std::string("2Ki"), Quantity::from_value(2'048, Quantity::Format::Binary).text());
}
