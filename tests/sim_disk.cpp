// A batch lands whole or not at all, as a transaction does.
#include "tests/sim_disk.h"

#include <cassert>

namespace keelson {

Result<Revision> SimDisk::load(const std::function<Result<>(Record)>& each) {
  for (const auto& [revision, record] : rows_) {
    if (auto ok = each(record); !ok) return std::unexpected(ok.error());
  }
  return revision_;
}

void SimDisk::append(std::vector<Record> batch, Done done) {
  assert(!in_the_air_ && "one batch at a time");
  in_the_air_.emplace(std::move(batch), std::move(done), Pending());
  in_the_air_->timer = loop_.after(delay, [this] { answer(); });
}

void SimDisk::answer() {
  InTheAir landed = std::move(*in_the_air_);
  in_the_air_.reset();
  const auto failure = std::exchange(failure_, std::nullopt);
  if (!failure || failure->lands) land(landed.batch);
  if (failure) return landed.done(std::unexpected(failure->error));
  landed.done(revision_);
}

void SimDisk::land(const std::vector<Record>& batch) {
  ++batches;
  for (const Record& record : batch) {
    assert(record.revision == revision_ + 1 && "no revision is missing, none comes twice");
    revision_ = record.revision;
    assert(record.replaces == 0 || rows_.contains(record.replaces));
    rows_.erase(record.replaces);
    if (record.bytes) rows_.emplace(record.revision, record);
  }
}

void SimDisk::fail_next(Error error, bool lands) {
  failure_ = Failure{std::move(error), lands};
}

void SimDisk::crash(bool batch_in_the_air_lands) {
  if (in_the_air_ && batch_in_the_air_lands) land(in_the_air_->batch);
  in_the_air_.reset();
}

}  // namespace keelson
