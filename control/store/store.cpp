// Commits, group commit, and who is told when.
#include "control/store/store.h"

#include <cassert>

#include "api/kinds.h"

namespace keelson {
namespace {

// What one write may add on disk beyond its bytes: the page it lies on, the page of what it
// replaces, and the log's copies of both.
constexpr std::int64_t write_overhead_bytes = 16 * 1024;

std::int64_t bytes_on_disk(const Record& record) {
  return write_overhead_bytes +
         (record.bytes ? static_cast<std::int64_t>(record.bytes->size()) : 0);
}

}  // namespace

Store::Store(Loop& loop, Durable& durable, const Limits& limits, std::function<void(Error)> fatal)
    : loop_(loop), durable_(durable), limits_(limits), fatal_(std::move(fatal)), history_(limits) {}

Store::~Store() {
  *alive_ = false;
}

Result<> Store::load() {
  std::map<std::string, const Kind*, std::less<>> by_resource;
  for (const Kind* kind : all_kinds()) {
    if (!kind->stored_as) by_resource.emplace(kind->qualified_resource(), kind);
  }

  auto revision = durable_.load([&](Record record) -> Result<> {
    const auto kind = by_resource.find(record.resource);
    if (kind == by_resource.end()) {
      return fail(Reason::InternalError,
                  "it holds {} {}, a kind that this program does not know: run the newer version",
                  record.resource, record.key);
    }
    auto object = parse_object(*kind->second, std::move(*record.bytes));
    if (!object) return object.error().during("{} {}", record.resource, record.key);
    if ((*object)->resource_version != record.revision || key_of(**object) != record.key) {
      return fail(Reason::InternalError, "{} {} is not what revision {} says: the file is damaged",
                  record.resource, record.key, record.revision);
    }
    if (index_.put(*object)) {
      return fail(Reason::InternalError, "{} {} is there twice: the file is damaged",
                  record.resource, record.key);
    }
    return {};
  });
  if (!revision) return std::unexpected(revision.error());
  index_.advance(*revision);
  durable_revision_ = *revision;
  history_.begin_at(*revision);
  room_bytes_ = durable_.room_bytes();
  return {};
}

Result<> Store::room_for(std::size_t bytes, std::int64_t below_reserve) const {
  if (failure_) {
    return fail(Reason::ServiceUnavailable, "the store's log has failed: {}", failure_->message);
  }
  const std::int64_t wanted =
      unwritten_bytes_ + static_cast<std::int64_t>(bytes) + write_overhead_bytes - below_reserve;
  if (wanted <= room_bytes_) return {};
  room_bytes_ = durable_.room_bytes();  // someone may have made room
  if (wanted <= room_bytes_) return {};
  return fail(Reason::ServiceUnavailable,
              "disk nearly full: writes are refused until {} more bytes are free in {} (reads are "
              "served, and nothing is lost)",
              wanted - room_bytes_, durable_.place());
}

Result<> Store::put(ObjectPtr object) {
  assert(object->resource_version == next_revision());
  if (auto ok = room_for(object->bytes.size(), 0); !ok) return ok;
  Record record{.revision = object->resource_version,
                .resource = object->kind->qualified_resource(),
                .key = key_of(*object),
                .bytes = object->bytes};
  Change change{.after = object, .revision = object->resource_version};
  change.before = index_.put(std::move(object));
  commit(std::move(change), std::move(record));
  return {};
}

Result<> Store::remove(ObjectPtr last) {
  assert(last->resource_version == next_revision());
  const auto half_of_reserve = static_cast<std::int64_t>(limits_.disk_reserve_bytes / 2);
  if (auto ok = room_for(0, half_of_reserve); !ok) return ok;
  Record record{.revision = last->resource_version,
                .resource = last->kind->qualified_resource(),
                .key = key_of(*last)};
  Change change{.revision = last->resource_version};
  change.before = index_.erase(*last->kind, last->name_space, last->name, last->resource_version);
  change.last = std::move(last);
  commit(std::move(change), std::move(record));
  return {};
}

void Store::commit(Change change, Record record) {
  assert(!notifying_ && "a subscriber must not write");
  if (change.before) record.replaces = change.before->resource_version;
  unwritten_bytes_ += bytes_on_disk(record);
  waiting_.push_back(std::move(record));
  history_.add(change);
  schedule_flush();
  notifying_ = true;
  for (const auto& on_change : on_change_) on_change(change);
  notifying_ = false;
}

// After what is ready to run now, so that writes of the same turn share a batch.
void Store::schedule_flush() {
  if (flush_scheduled_ || in_flight_ || waiting_.empty() || failure_) return;
  flush_scheduled_ = true;
  loop_.post([this, alive = alive_] {
    if (*alive) flush();
  });
}

void Store::flush() {
  flush_scheduled_ = false;
  in_flight_ = true;
  durable_.append(next_batch(), [this, alive = alive_](Result<Revision> durable) {
    if (*alive) flushed(std::move(durable));
  });
}

std::vector<Record> Store::next_batch() {
  std::vector<Record> batch;
  const auto bytes_max = static_cast<std::int64_t>(limits_.commit_batch_bytes);
  in_flight_bytes_ = 0;
  while (!waiting_.empty() && batch.size() < limits_.commit_batch_writes &&
         in_flight_bytes_ < bytes_max) {
    in_flight_bytes_ += bytes_on_disk(waiting_.front());
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return batch;
}

void Store::flushed(Result<Revision> durable) {
  in_flight_ = false;
  if (!durable) {
    failure_ = std::make_shared<const Error>(std::move(durable.error()));
    fatal_(*failure_);
    return;
  }
  const Revision before = std::exchange(durable_revision_, *durable);
  room_bytes_ = durable_.room_bytes();
  unwritten_bytes_ -= in_flight_bytes_;
  schedule_flush();  // the disk works while others are told
  run_due_tasks();
  if (!on_durable_.empty()) {
    const auto changes = history_.between(before, durable_revision_);
    for (const auto& on_durable : on_durable_) on_durable(*changes);
  }
  history_.trim(durable_revision_);
}

void Store::when_durable(Revision revision, Task task) {
  if (revision <= durable_revision_) return loop_.post(std::move(task));
  when_durable_.emplace(revision, std::move(task));
}

// A task may write, or wait for more; what it waits for is not due in this round.
void Store::run_due_tasks() {
  const auto end = when_durable_.upper_bound(durable_revision_);
  std::vector<Task> due;
  for (auto at = when_durable_.begin(); at != end; ++at) due.push_back(std::move(at->second));
  when_durable_.erase(when_durable_.begin(), end);
  for (auto& task : due) task();
}

void Store::subscribe(OnChange on_change) {
  on_change_.push_back(std::move(on_change));
}

void Store::subscribe_durable(OnDurable on_durable) {
  on_durable_.push_back(std::move(on_durable));
}

Result<std::vector<Change>> Store::history_after(Revision after) const {
  return history_.between(after, durable_revision_);
}

// Today's objects, with those that have changed since shown as they were then.
Result<> Store::each_at(Revision revision, const Kind& kind, const std::string& after,
                        const Visit& visit) const {
  assert(revision <= index_.revision());
  auto then = history_.before(revision, kind);
  if (!then) return std::unexpected(then.error());
  auto old = then->upper_bound(after);
  bool more = true;
  const auto visit_old_until = [&](const std::string* key) {
    for (; more && old != then->end() && (!key || old->first < *key); ++old) {
      if (old->second) more = visit(old->second);
    }
  };
  index_.each_after(kind, after, [&](const ObjectPtr& object) {
    if (old == then->end()) return more = visit(object);
    const std::string key = key_of(*object);
    visit_old_until(&key);
    if (!more) return false;
    if (old == then->end() || old->first != key) return more = visit(object);
    if (old->second) more = visit(old->second);
    ++old;
    return more;
  });
  if (more) visit_old_until(nullptr);
  return {};
}

}  // namespace keelson
