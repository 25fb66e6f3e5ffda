// A disk that fills up: writes are refused in time and in plain words, and nothing is lost.
#include <fcntl.h>

#include <cstdio>
#include <map>
#include <memory>

#include "base/fd.h"
#include "control/store/sqlite.h"
#include "control/store/store.h"
#include "tests/control/objects.h"
#include "tests/control/small_disk.h"
#include "tests/control/waiting_loop.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

constexpr int disk_mebibytes = 24;

// The store over SQLite on that disk.
struct Server {
  explicit Server(const SmallDisk& disk) : path(disk.file("store.db")) {
    limits.disk_reserve_bytes = 8 * 1024 * 1024;
    limits.wal_bytes = 1024 * 1024;
  }
  std::string start() {
    store.reset();
    durable.reset();
    fatal.clear();
    auto opened = SqliteDurable::open(path, loop, limits);
    if (!opened) return opened.error().message;
    durable = std::move(*opened);
    store = std::make_unique<Store>(loop, *durable, limits,
                                    [this](Error error) { fatal = error.message; });
    auto loaded = store->load();
    return loaded ? "" : loaded.error().message;
  }
  Result<> put(const std::string& key) {
    auto done =
        store->put(config_map_object(key, std::string(16 * 1024, 'x'), store->next_revision()));
    if (done) settle();
    return done;
  }
  Result<> remove(const std::string& key) {
    auto done = store->remove(config_map_object(key, "", store->next_revision()));
    if (done) settle();
    return done;
  }
  void settle() {
    loop.run_until(
        [this] { return store->durable_revision() == store->revision() || !fatal.empty(); });
  }
  std::size_t count() const { return store->view().count(kinds::config_map()); }

  std::string path;
  WaitingLoop loop;
  Limits limits;
  std::string fatal;
  std::unique_ptr<SqliteDurable> durable;
  std::unique_ptr<Store> store;
};

std::string key(int i) {
  return "a/" + std::to_string(i);
}

// Takes what is left, to the last byte.
void fill(const std::string& path) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const std::string piece(64 * 1024, 'f');
  for (std::size_t size = piece.size(); size > 0;) {
    if (::write(file.get(), piece.data(), size) <= 0) size /= 2;
  }
}

}  // namespace

TEST_GROUP(DiskFull) {
  SmallDisk disk{disk_mebibytes};
  Server server{disk};

  bool runs() {
    if (!disk.mounted()) std::puts("\nskipped: a small disk needs root");
    return disk.mounted();
  }
};

TEST(DiskFull, refuses_writes_while_a_reserve_is_left_and_takes_them_again_when_there_is_room) {
  if (!runs()) return;
  STRCMP_EQUAL("", server.start().c_str());
  int written = 0;
  Result<> last;
  while ((last = server.put(key(written)))) ++written;
  CHECK_TRUE(written > 100);
  CHECK_TRUE(last.error().reason == Reason::ServiceUnavailable);
  STRCMP_CONTAINS("disk nearly full: writes are refused until", last.error().message.c_str());
  STRCMP_CONTAINS(disk.file("").substr(0, disk.file("").size() - 1).c_str(),
                  last.error().message.c_str());
  LONGS_EQUAL(written, server.count());
  STRCMP_EQUAL("", server.fatal.c_str());

  STRCMP_EQUAL("", server.start().c_str());
  LONGS_EQUAL(written, server.count());
  for (int i = 0; i < written; ++i) CHECK_TRUE(server.remove(key(i)).has_value());
  CHECK_TRUE_TEXT(server.put(key(0)).has_value(), "removing has made room");
  STRCMP_EQUAL("", server.start().c_str());
  LONGS_EQUAL(1, server.count());
}

// Method: another takes the whole disk between two looks at it, so that a commit fails; then the
// server starts on a disk without a free byte.
TEST(DiskFull, loses_nothing_acknowledged_when_the_last_byte_is_taken) {
  if (!runs()) return;
  STRCMP_EQUAL("", server.start().c_str());
  int written = 0;
  for (; written < 20; ++written) CHECK_TRUE(server.put(key(written)).has_value());
  fill(disk.file("foreign"));
  CHECK_TRUE_TEXT(server.put("a/last").has_value(), "the log is still growing, and cannot");
  STRCMP_CONTAINS("database or disk is full", server.fatal.c_str());

  STRCMP_EQUAL("", server.start().c_str());
  LONGS_EQUAL(written, server.count());
  const auto refused = server.put("a/no");
  CHECK_TRUE(!refused && refused.error().reason == Reason::ServiceUnavailable);
  CHECK_TRUE(!server.remove(key(0)));
  CHECK_TRUE(server.store->view().get(kinds::config_map(), "a", "0") != nullptr);

  std::remove(disk.file("foreign").c_str());
  CHECK_TRUE(server.put("a/yes").has_value());
  STRCMP_EQUAL("", server.fatal.c_str());
}
