// The embedded log on real files: what is written, what is refused, how the log is recycled.
#include "control/store/sqlite.h"

#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>

#include "base/log.h"
#include "tests/control/failing_vfs.h"
#include "tests/control/temp_folder.h"
#include "tests/control/waiting_loop.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

// A log and the loop it answers on; every call waits for its answer.
struct Log {
  WaitingLoop loop;
  Limits limits;
  std::unique_ptr<SqliteDurable> durable;
  std::map<std::string, Record> rows;  // what load found, by key
  Revision revision = 0;

  Result<> open(const std::string& path) {
    rows.clear();
    durable.reset();
    auto opened = SqliteDurable::open(path, loop, limits);
    if (!opened) return std::unexpected(opened.error());
    durable = std::move(*opened);
    auto loaded = durable->load([this](Record record) -> Result<> {
      const std::string key = record.key;
      rows.emplace(key, std::move(record));
      return {};
    });
    if (!loaded) {
      durable.reset();
      return std::unexpected(loaded.error());
    }
    revision = *loaded;
    return {};
  }
  Result<Revision> append(std::vector<Record> batch) {
    std::optional<Result<Revision>> answer;
    durable->append(std::move(batch),
                    [&answer](Result<Revision> result) { answer = std::move(result); });
    loop.run_until([&answer] { return answer.has_value(); });
    return *answer;
  }
  // Replaces the one before, or is the first of its key.
  Result<> put(const std::string& key, std::string bytes) {
    const auto old = rows.find(key);
    Record record{.revision = ++revision,
                  .replaces = old == rows.end() ? 0 : old->second.revision,
                  .resource = "things",
                  .key = key,
                  .bytes = std::move(bytes)};
    auto done = append({record});
    if (!done) return std::unexpected(done.error());
    rows[key] = record;
    return {};
  }
  Result<> remove(const std::string& key) {
    auto done = append({{.revision = ++revision,
                         .replaces = rows.at(key).revision,
                         .resource = "things",
                         .key = key}});
    if (!done) return std::unexpected(done.error());
    rows.erase(key);
    return {};
  }
};

std::string error_of(const Result<>& result) {
  return result ? "" : result.error().message;
}

}  // namespace

TEST_GROUP(Sqlite) {
  TempFolder folder;
  std::string path = folder.file("store.db");
};

TEST(Sqlite, keeps_the_newest_state_of_each_key_and_the_revision) {
  const std::string binary("\0\xff'\"", 4);
  {
    Log log;
    STRCMP_EQUAL("", error_of(log.open(path)).c_str());
    LONGS_EQUAL(0, log.revision);
    for (const char* value : {"1", "2"}) CHECK_TRUE(log.put("a/x", value).has_value());
    CHECK_TRUE(log.put("a/y", binary).has_value());
    CHECK_TRUE(log.put("a/empty", "").has_value());
    CHECK_TRUE(log.put("a/big", std::string(1'500'000, 'b')).has_value());
  }
  Log log;
  STRCMP_EQUAL("", error_of(log.open(path)).c_str());
  LONGS_EQUAL(5, log.revision);
  LONGS_EQUAL(4, log.rows.size());
  STRCMP_EQUAL("2", log.rows["a/x"].bytes->c_str());
  LONGS_EQUAL(2, log.rows["a/x"].revision);
  STRCMP_EQUAL("things", log.rows["a/x"].resource.c_str());
  CHECK_TRUE(binary == *log.rows["a/y"].bytes);
  CHECK_TRUE(log.rows["a/empty"].bytes->empty());
  LONGS_EQUAL(1'500'000, log.rows["a/big"].bytes->size());
}

TEST(Sqlite, remembers_the_revision_of_a_removal_though_no_row_is_left) {
  {
    Log log;
    CHECK_TRUE(log.open(path).has_value());
    CHECK_TRUE(log.put("a/x", "1").has_value());
    CHECK_TRUE(log.remove("a/x").has_value());
  }
  Log log;
  CHECK_TRUE(log.open(path).has_value());
  LONGS_EQUAL(0, log.rows.size());
  LONGS_EQUAL(2, log.revision);
}

TEST(Sqlite, writes_a_batch_whole) {
  Log log;
  CHECK_TRUE(log.open(path).has_value());
  const auto done =
      log.append({{.revision = 1, .resource = "things", .key = "a", .bytes = "1"},
                  {.revision = 2, .replaces = 1, .resource = "things", .key = "a", .bytes = "2"},
                  {.revision = 3, .replaces = 2, .resource = "things", .key = "a"},
                  {.revision = 4, .resource = "things", .key = "b", .bytes = "4"}});
  LONGS_EQUAL(4, *done);
  // The second record replaces what is not there: nothing of the batch may land.
  const auto broken =
      log.append({{.revision = 5, .resource = "things", .key = "c", .bytes = "5"},
                  {.revision = 6, .replaces = 3, .resource = "things", .key = "a", .bytes = "6"}});
  CHECK_TRUE(!broken);
  STRCMP_EQUAL("things a is not on disk at revision 3, which 6 replaces",
               broken.error().message.c_str());
  CHECK_TRUE(log.open(path).has_value());
  LONGS_EQUAL(1, log.rows.size());
  LONGS_EQUAL(4, log.revision);
}

TEST(Sqlite, is_private_and_one_process_s_at_a_time) {
  Log first, second;
  CHECK_TRUE(first.open(path).has_value());
  CHECK_TRUE(first.put("a/x", "1").has_value());
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat info {};
    LONGS_EQUAL(0, ::stat((path + suffix).c_str(), &info));
    LONGS_EQUAL_TEXT(0600, info.st_mode & 0777, suffix);
  }
  STRCMP_CONTAINS("the store is in use by another process", error_of(second.open(path)).c_str());
  first.durable.reset();
  STRCMP_EQUAL("", error_of(second.open(path)).c_str());
}

TEST(Sqlite, says_clearly_what_it_cannot_read) {
  {
    Log log;
    CHECK_TRUE(log.open(path).has_value());
    for (int i = 0; i < 100; ++i) {
      CHECK_TRUE(log.put("a/" + std::to_string(i), std::string(1000, 'x')).has_value());
    }
  }
  const auto run = [this](const char* sql) {
    sqlite3* raw = nullptr;
    sqlite3_open(path.c_str(), &raw);
    sqlite3_exec(raw, sql, nullptr, nullptr, nullptr);
    sqlite3_wal_checkpoint_v2(raw, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    sqlite3_close(raw);
  };
  run("UPDATE meta SET value = 99 WHERE name = 'schema'");
  Log newer;
  STRCMP_CONTAINS("its schema has version 99, this program knows 1: run the version that wrote it",
                  error_of(newer.open(path)).c_str());
  run("UPDATE meta SET value = 1 WHERE name = 'schema'");

  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096 * 3);
  file << std::string(4096 * 8, '\x7f');
  file.close();
  Log damaged;
  const std::string why = error_of(damaged.open(path));
  STRCMP_CONTAINS(("read the store " + path).c_str(), why.c_str());
  STRCMP_CONTAINS("malformed", why.c_str());

  std::ofstream(folder.file("text")) << std::string(10'000, 't');
  Log text;
  STRCMP_CONTAINS("file is not a database", error_of(text.open(folder.file("text"))).c_str());
  Log nowhere;
  STRCMP_CONTAINS("No such file or directory",
                  error_of(nowhere.open(folder.file("missing/store.db"))).c_str());
}

// Method: writes of many times the bound; the log's file must stay within a few times of it, and
// the database must hold everything.
TEST(Sqlite, recycles_its_log) {
  Log log;
  log.limits.wal_bytes = 512 * 1024;
  CHECK_TRUE(log.open(path).has_value());
  std::size_t largest = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<Record> batch;
    for (int i = 0; i < 50; ++i) {
      const std::string key = "a/" + std::to_string(i);
      const auto old = log.rows.find(key);
      batch.push_back({.revision = ++log.revision,
                       .replaces = old == log.rows.end() ? 0 : old->second.revision,
                       .resource = "things",
                       .key = key,
                       .bytes = std::string(1000, static_cast<char>('a' + round % 26))});
      log.rows[key] = batch.back();
    }
    CHECK_TRUE(log.append(std::move(batch)).has_value());
    largest = std::max(largest, std::filesystem::file_size(path + "-wal"));
  }
  CHECK_TRUE_TEXT(largest <= 5 * log.limits.wal_bytes, std::to_string(largest).c_str());
  const auto expected = log.rows;
  CHECK_TRUE(log.open(path).has_value());
  LONGS_EQUAL(5000, log.revision);
  LONGS_EQUAL(expected.size(), log.rows.size());
  for (const auto& [key, record] : expected) CHECK_TRUE(record.bytes == log.rows[key].bytes);
}

// Method: the n-th write or sync of the file system fails and all after it, for many n, the first
// ones densely. What was acknowledged before must be there afterwards; what was refused may be,
// whole.
TEST(Sqlite, loses_nothing_acknowledged_when_the_disk_fails) {
  set_log_level(LogLevel::Error);  // checkpoints that fail are no news here
  for (const auto call : {FailingVfs::Call::Write, FailingVfs::Call::Sync}) {
    for (int nth = 1;; nth += 1 + nth / 8) {
      TempFolder own;
      const std::string file = own.file("store.db");
      FailingVfs vfs;
      Log log;
      log.limits.wal_bytes = 64 * 1024;  // so that checkpoints are hit as well
      CHECK_TRUE(log.open(file).has_value());
      CHECK_TRUE(log.put("a/first", "1").has_value());
      vfs.fail(call, nth);
      int acknowledged = 0;
      Result<> last;
      for (int i = 0; i < 40 && last; ++i) {
        last = log.put("a/" + std::to_string(i), std::string(4000, 'x'));
        if (last) ++acknowledged;
      }
      const bool happened = vfs.has_failed();
      vfs.heal();
      if (!last) STRCMP_CONTAINS("disk I/O error", last.error().message.c_str());
      STRCMP_EQUAL("", error_of(log.open(file)).c_str());
      for (int i = 0; i < acknowledged; ++i) {
        LONGS_EQUAL(4000, log.rows["a/" + std::to_string(i)].bytes->size());
      }
      const auto there = static_cast<int>(log.rows.size()) - 1;
      CHECK_TRUE(there == acknowledged || there == acknowledged + 1);
      CHECK_TRUE(log.rows.contains("a/first"));
      if (!happened) break;
    }
  }
}
