// The embedded log: SQLite in WAL mode with synchronous=FULL. It keeps the newest state of every
// object and the last revision; history lives in the store's memory alone.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/fd.h"
#include "base/limits.h"
#include "base/loop.h"
#include "control/store/durable.h"

namespace keelson {

class SqliteWriter;

// A row's primary key is its revision, so writes append to the table, need no further index, and
// find what they replace by number. One file, open in one process: others are refused by a lock.
class SqliteDurable final : public Durable {
 public:
  // Makes the file if it is not there; its folder must exist. Answers come on the loop.
  static Result<std::unique_ptr<SqliteDurable>> open(std::string path, Loop& loop,
                                                     const Limits& limits);
  ~SqliteDurable() override;  // the batch in the air is finished, its answer is not given

  Result<Revision> load(const std::function<Result<>(Record)>& each) override;
  void append(std::vector<Record> batch, Done done) override;
  std::int64_t room_bytes() const override;
  std::string place() const override;

 private:
  struct Job {
    std::vector<Record> batch;
    Done done;
  };
  SqliteDurable(std::string path, Fd lock, Loop& loop, const Limits& limits);
  void run();
  Result<Revision> write(const std::vector<Record>& batch);

  const std::string path_;
  const Fd lock_;
  Loop& loop_;
  const Limits& limits_;
  std::unique_ptr<SqliteWriter> writer_;     // the thread's own
  std::atomic<std::int64_t> free_bytes_{0};  // inside the file
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<Job> job_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace keelson
