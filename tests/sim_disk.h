// The store's disk under simulation: rows in memory that outlive the store which wrote them. It is
// slow, fills up, fails and loses what was not acknowledged, when told to.
#pragma once

#include <map>
#include <optional>

#include "base/loop.h"
#include "control/store/durable.h"

namespace keelson {

class SimDisk final : public Durable {
 public:
  explicit SimDisk(Loop& loop) : loop_(loop) {}

  Result<Revision> load(const std::function<Result<>(Record)>& each) override;
  void append(std::vector<Record> batch, Done done) override;
  std::int64_t room_bytes() const override { return room; }
  std::string place() const override { return "the simulated disk"; }

  Duration delay{0};  // from a batch to its answer
  std::int64_t room = 1LL << 40;
  std::size_t batches = 0;  // landed so far

  // The next batch is answered by this error. Its records land all the same, or do not.
  void fail_next(Error error, bool lands);
  // The process that wrote is gone: the batch in the air is never answered, and landed or did not.
  void crash(bool batch_in_the_air_lands);
  std::map<Revision, Record>& rows() { return rows_; }  // to damage

 private:
  struct Failure {
    Error error;
    bool lands;
  };
  struct InTheAir {
    std::vector<Record> batch;
    Done done;
    Pending timer;
  };
  void land(const std::vector<Record>& batch);
  void answer();

  Loop& loop_;
  std::map<Revision, Record> rows_;
  Revision revision_ = 0;
  std::optional<Failure> failure_;
  std::optional<InTheAir> in_the_air_;
};

}  // namespace keelson
