// The connection that commits: one transaction a batch, and the write-ahead log kept within bounds
// by a checkpointer beside it. Everything here happens on the store's log thread.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "control/store/durable.h"
#include "control/store/sqlite_connection.h"

namespace keelson {

// Copies the write-ahead log back into the database, on a thread and connection of its own, while
// commits go on. What it cannot copy stays in the log: an error costs space, never data.
class SqliteCheckpointer {
 public:
  static Result<std::unique_ptr<SqliteCheckpointer>> open(const std::string& path);
  ~SqliteCheckpointer();

  enum class State { Idle, Working, Done };
  void start();  // Idle → Working → Done
  State state();
  Result<> take();  // Done → Idle: how it went
  void wait();      // until it is not Working

 private:
  explicit SqliteCheckpointer(SqliteConnection connection);
  void run();

  SqliteConnection connection_;
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::Idle;
  bool stopping_ = false;
  Result<> outcome_;
  std::thread thread_;
};

class SqliteWriter {
 public:
  // wal_bytes: about where the log is copied back and begun anew.
  static Result<std::unique_ptr<SqliteWriter>> open(const std::string& path, std::size_t wal_bytes);
  ~SqliteWriter();

  Result<> commit(std::span<const Record> batch);
  // Bytes inside the database file that hold nothing and are written before it grows.
  std::int64_t free_bytes() const { return free_bytes_; }

 private:
  SqliteWriter(SqliteConnection connection, std::size_t wal_bytes);
  Result<> prepare();
  Result<> write(const Record& record);
  void keep_log_short();
  Result<> measure_free_pages();

  SqliteConnection connection_;
  const std::size_t wal_bytes_max_;
  std::size_t wal_pages_ = 0;  // in the log after the last commit
  std::size_t retry_pages_ = 0;
  std::int64_t free_bytes_ = 0;
  std::unique_ptr<SqliteStatement> begin_, commit_, insert_, erase_, revision_, free_;
  std::unique_ptr<SqliteCheckpointer> checkpointer_;
};

}  // namespace keelson
