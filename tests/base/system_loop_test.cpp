// The real loop: tasks, timers and file descriptors of this machine. The only tests that wait for
// real time.
#include "base/system_loop.h"

#include <fcntl.h>
#include <unistd.h>
#include <csignal>

#include <thread>
#include <vector>

#include "base/fd.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(SystemLoop) {
  SystemLoop loop;
};

TEST(SystemLoop, runs_posted_tasks_in_order_from_any_thread) {
  std::vector<int> seen;
  std::thread other([this, &seen] {
    loop.post([&seen] { seen.push_back(1); });
    loop.post([this, &seen] {
      seen.push_back(2);
      loop.stop();
    });
  });
  loop.run();
  other.join();
  LONGS_EQUAL(2, seen.size());
  LONGS_EQUAL(1, seen[0]);
}

TEST(SystemLoop, a_cancelled_timer_does_not_fire) {
  bool cancelled_fired = false;
  Pending cancelled = loop.after(1ms, [&] { cancelled_fired = true; });
  Pending kept = loop.after(5ms, [this] { loop.stop(); });
  cancelled.reset();
  loop.run();
  CHECK(!cancelled_fired);
}

TEST(SystemLoop, says_when_a_descriptor_is_readable_until_the_watch_ends) {
  int ends[2];
  LONGS_EQUAL(0, ::pipe2(ends, O_CLOEXEC | O_NONBLOCK));
  Fd read_end(ends[0]), write_end(ends[1]);
  int times = 0;
  Pending watch = loop.on_readable(read_end.get(), [&] {
    char byte = 0;
    LONGS_EQUAL(1, ::read(read_end.get(), &byte, 1));
    if (++times == 2) {
      watch.reset();
      LONGS_EQUAL(1, ::write(write_end.get(), "x", 1));
      loop.post([this] { loop.stop(); });
    }
  });
  LONGS_EQUAL(2, ::write(write_end.get(), "ab", 2));
  loop.run();
  LONGS_EQUAL(2, times);
}

TEST(SystemLoop, hands_signals_to_the_loop) {
  int got = 0;
  Pending watch = loop.on_signal({SIGUSR1}, [&](int number) {
    got = number;
    loop.stop();
  });
  ::raise(SIGUSR1);
  loop.run();
  LONGS_EQUAL(SIGUSR1, got);
}
