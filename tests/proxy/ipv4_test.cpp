// Addresses and ranges as flags and objects carry them.
#include "proxy/ipv4.h"

#include <CppUTest/TestHarness.h>

using namespace keelson::proxy;

TEST_GROUP(Ipv4){};

TEST(Ipv4, reads_and_writes_addresses) {
  STRCMP_EQUAL("10.96.0.1", ipv4_text(*parse_ipv4("10.96.0.1")).c_str());
  for (const char* bad : {"", "10.96.0", "10.96.0.256", "10.96.0.1 ", "::1", "010.1.1.1"})
    CHECK_TEXT(!parse_ipv4(bad), bad);
}

TEST(Ipv4, a_range_holds_what_its_prefix_says) {
  struct Case {
    const char* range;
    const char* address;
    bool inside;
  };
  const Case cases[] = {
      {"10.96.0.0/16", "10.96.255.255", true}, {"10.96.0.0/16", "10.97.0.0", false},
      {"10.96.7.9/16", "10.96.0.1", true},     {"0.0.0.0/0", "8.8.8.8", true},
      {"10.0.0.1/32", "10.0.0.1", true},       {"10.0.0.1/32", "10.0.0.2", false}};
  for (const auto& c : cases)
    CHECK_TEXT(parse_ipv4_range(c.range)->contains(*parse_ipv4(c.address)) == c.inside, c.range);
  for (const char* bad : {"", "10.96.0.0", "10.96.0.0/", "10.96.0.0/33", "10.96.0.0/1x", "x/8"})
    CHECK_TEXT(!parse_ipv4_range(bad), bad);
}

TEST(Ipv4, the_default_range_holds_no_address_anybody_asks_for) {
  CHECK(!Ipv4Range{}.contains(*parse_ipv4("10.96.0.1")));
}
