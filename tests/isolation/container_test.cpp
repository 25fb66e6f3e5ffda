// Containers on the real kernel: they start, write logs, end.
#include "isolation/container.h"

#include <memory>

#include "tests/isolation/node.h"

#include <CppUTest/TestHarness.h>

namespace keelson::isolation {

TEST_GROUP(Container) {
  std::unique_ptr<TestNode> node;
  void setup() override {
    if (can_run_containers()) node = std::make_unique<TestNode>();
  }
  void teardown() override {
    node.reset();
  }
};

TEST(Container, runs_writes_its_log_and_ends) {
  if (node == nullptr) return;
  const auto ran = node->run_shell("echo hello; echo oops >&2; exit 7");
  CHECK_TEXT(ran.started, ran.started ? "" : ran.started.error().message.c_str());
  CHECK(ran.exit.has_value());
  LONGS_EQUAL(7, ran.exit->exit_code);
  STRCMP_EQUAL("stdout F hello\nstderr F oops\n", ran.log.c_str());
}

}  // namespace keelson::isolation
