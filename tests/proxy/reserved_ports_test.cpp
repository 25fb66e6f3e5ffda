// The list of ports no socket gets by chance.
#include "proxy/reserved_ports.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include <CppUTest/TestHarness.h>

using namespace keelson::proxy;

TEST_GROUP(ReservedPorts) {
  std::string file = fmt::format("/tmp/keelson-ports-{}", ::getpid());
  void teardown() override {
    ::unlink(file.c_str());
  }
  std::string content() {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
  }
};

TEST(ReservedPorts, ranges_join_what_is_reserved_already) {
  std::ofstream(file) << "7000,8000-8010\n";
  CHECK(reserve_ports({{30'000, 32'767}, {10'000, 29'999}}, file).has_value());
  STRCMP_EQUAL("7000,8000-8010,30000-32767,10000-29999", content().c_str());
}

TEST(ReservedPorts, an_empty_list_is_a_list) {
  std::ofstream(file) << "";
  CHECK(reserve_ports({{30'000, 32'767}}, file).has_value());
  STRCMP_EQUAL("30000-32767", content().c_str());
}

TEST(ReservedPorts, what_cannot_be_read_or_written_is_told) {
  STRCMP_CONTAINS("/nowhere", reserve_ports({{1, 2}}, "/nowhere").error().message.c_str());
  STRCMP_CONTAINS("/proc/version",
                  reserve_ports({{1, 2}}, "/proc/version").error().message.c_str());
}
