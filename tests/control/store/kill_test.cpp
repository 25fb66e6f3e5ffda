// kill -9 under write load, again and again: what was acknowledged is there, whole, and revisions
// never go back.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <random>
#include <thread>

#include "base/fd.h"
#include "base/system_loop.h"
#include "control/store/sqlite.h"
#include "control/store/store.h"
#include "tests/control/objects.h"
#include "tests/control/temp_folder.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

constexpr int kills = 200;
constexpr int writers = 16;  // each with one write in the air at a time
constexpr int keys = 64;

std::string name_of(int key) {
  return "key-" + std::to_string(key);
}

// What was written up to a revision follows from the revision alone: the nth write is always the
// same. So the one state that may be found at a revision is known, to the last value.
struct Writes {
  Revision revision = 0;
  std::map<int, Revision> written;  // key → revision of its value; absent: removed or never there

  int next_key() const { return static_cast<int>((revision + 1) * 37 % keys); }
  bool next_removes() const { return (revision + 1) % 9 == 0 && written.contains(next_key()); }
  void step() {
    const int key = next_key();
    if (next_removes()) {
      written.erase(key);
    } else {
      written[key] = revision + 1;
    }
    ++revision;
  }
};

// Long and short values in turn; the revision is at both ends, so that half a value is seen.
std::string value_at(Revision revision) {
  const std::string number = std::to_string(revision);
  return number + "|" + std::string(revision % 7 == 0 ? 20'000 : 300, 'v') + "|" + number;
}

Limits small_limits() {
  Limits limits;
  limits.wal_bytes = 128 * 1024;  // checkpoints are killed as well
  limits.history_events = 100;
  return limits;
}

// The process that is killed. It writes for ever, and tells each durable revision through a pipe.
class Victim {
 public:
  Victim(const std::string& path, int pipe, Writes writes)
      : pipe_(pipe), writes_(std::move(writes)) {
    durable_ = std::move(*SqliteDurable::open(path, loop_, limits_));
    store_ = std::make_unique<Store>(loop_, *durable_, limits_, [](Error) { ::_exit(3); });
  }
  [[noreturn]] void run() {
    if (!store_->load()) ::_exit(2);
    for (int i = 0; i < writers; ++i) write_next();
    loop_.run();
    ::_exit(4);
  }

 private:
  void write_next() {
    const Revision revision = store_->next_revision();
    const ObjectPtr object =
        config_map_object("ns/" + name_of(writes_.next_key()), value_at(revision), revision);
    const auto done = writes_.next_removes() ? store_->remove(object) : store_->put(object);
    if (!done) ::_exit(5);
    writes_.step();
    store_->when_durable(revision, [this, revision] {
      if (::write(pipe_, &revision, sizeof revision) != sizeof revision) ::_exit(6);
      write_next();
    });
  }

  SystemLoop loop_;
  Limits limits_ = small_limits();
  std::unique_ptr<SqliteDurable> durable_;
  std::unique_ptr<Store> store_;
  const int pipe_;
  Writes writes_;
};

// Returns the highest acknowledged revision.
Revision write_and_kill(const std::string& path, std::mt19937& random, const Writes& writes) {
  int ends[2];
  CHECK_EQUAL(0, ::pipe2(ends, O_CLOEXEC));
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) Victim(path, write_end.get(), writes).run();
  write_end = Fd();
  // A random moment: after so many acknowledgements, and a little later.
  const auto stop_after = std::uniform_int_distribution<int>(0, 150)(random);
  const auto delay = std::chrono::microseconds(std::uniform_int_distribution<int>(0, 400)(random));
  Revision acknowledged = writes.revision, revision = 0;
  const auto take = [&] {
    if (::read(read_end.get(), &revision, sizeof revision) != sizeof revision) return false;
    acknowledged = std::max(acknowledged, revision);
    return true;
  };
  for (int i = 0; i < stop_after && take(); ++i) {
  }
  std::this_thread::sleep_for(delay);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK_TRUE_TEXT(WIFSIGNALED(status), "it ended by itself");
  while (take()) {
  }
  return acknowledged;
}

void check(const std::string& path, Writes& writes, Revision acknowledged) {
  SystemLoop loop;
  const Limits limits = small_limits();
  auto durable = SqliteDurable::open(path, loop, limits);
  CHECK_TRUE(durable.has_value());
  Store store(loop, **durable, limits, [](Error) {});
  const auto loaded = store.load();
  CHECK_TRUE_TEXT(loaded.has_value(), loaded ? "" : loaded.error().message.c_str());
  CHECK_TRUE_TEXT(store.revision() >= acknowledged, "an acknowledged write is gone");
  while (writes.revision < store.revision()) writes.step();
  LONGS_EQUAL(writes.written.size(), store.view().count(kinds::config_map()));
  for (const auto& [key, revision] : writes.written) {
    const ObjectPtr object = store.view().get(kinds::config_map(), "ns", name_of(key));
    CHECK_TRUE_TEXT(object != nullptr, name_of(key).c_str());
    LONGS_EQUAL(revision, object->resource_version);
    CHECK_TRUE_TEXT(value_of(*object) == value_at(revision), "half a value, or another's");
  }
}

}  // namespace

TEST_GROUP(Kill){};

TEST(Kill, loses_no_acknowledged_write_in_two_hundred_kills) {
  const unsigned seed = std::random_device{}();
  std::printf("\nseed %u\n", seed);
  std::mt19937 random(seed);
  const TempFolder folder;
  const std::string path = folder.file("store.db");
  Writes writes;
  for (int i = 0; i < kills; ++i) {
    const Revision acknowledged = write_and_kill(path, random, writes);
    check(path, writes, acknowledged);
  }
  CHECK_TRUE(writes.revision > kills);
}
