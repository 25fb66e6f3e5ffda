// How a batch becomes durable, and how the write-ahead log is recycled.
#include "control/store/sqlite_writer.h"

#include <pthread.h>
#include <sqlite3.h>

#include "base/log.h"

namespace keelson {
namespace {

constexpr std::size_t page_bytes = 4096;       // SQLite's default page
constexpr int passes_max = 4;                  // of a checkpoint that runs behind the commits
constexpr int pages_left_to_the_writer = 256;  // 1 MiB: a checkpoint in the commit path of 1–3 ms
// The log may outgrow its bound while a slow disk is busy copying; then commits wait for it.
constexpr std::size_t overgrown = 4;

struct Pages {
  int in_log = 0, copied = 0;
};

Result<Pages> checkpoint(sqlite3* connection) {
  Pages pages;
  const int code = sqlite3_wal_checkpoint_v2(connection, nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             &pages.in_log, &pages.copied);
  if (code != SQLITE_OK) return sqlite_failure(connection, "checkpoint");
  return pages;
}

}  // namespace

Result<std::unique_ptr<SqliteCheckpointer>> SqliteCheckpointer::open(const std::string& path) {
  auto connection = SqliteConnection::open(path);
  if (!connection) return std::unexpected(connection.error());
  if (auto ok = connection->execute("PRAGMA synchronous=FULL"); !ok) {
    return std::unexpected(ok.error());
  }
  return std::unique_ptr<SqliteCheckpointer>(new SqliteCheckpointer(std::move(*connection)));
}

SqliteCheckpointer::SqliteCheckpointer(SqliteConnection connection)
    : connection_(std::move(connection)), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "checkpoint");
}

SqliteCheckpointer::~SqliteCheckpointer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SqliteCheckpointer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || state_ == State::Working; });
    if (stopping_) return;
    lock.unlock();
    Result<> outcome;
    for (int pass = 0; pass < passes_max; ++pass) {
      auto pages = checkpoint(connection_.get());
      if (!pages) outcome = std::unexpected(pages.error());
      if (!pages || pages->in_log - pages->copied <= pages_left_to_the_writer) break;
    }
    lock.lock();
    outcome_ = std::move(outcome);
    state_ = State::Done;
    changed_.notify_all();
  }
}

void SqliteCheckpointer::start() {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::Working;
  }
  changed_.notify_all();
}

SqliteCheckpointer::State SqliteCheckpointer::state() {
  const std::lock_guard lock(mutex_);
  return state_;
}

Result<> SqliteCheckpointer::take() {
  const std::lock_guard lock(mutex_);
  state_ = State::Idle;
  return std::exchange(outcome_, {});
}

void SqliteCheckpointer::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return state_ != State::Working; });
}

Result<std::unique_ptr<SqliteWriter>> SqliteWriter::open(const std::string& path,
                                                         std::size_t wal_bytes) {
  auto connection = SqliteConnection::open(path);
  if (!connection) return std::unexpected(connection.error());
  std::unique_ptr<SqliteWriter> writer(new SqliteWriter(std::move(*connection), wal_bytes));
  if (auto ok = writer->prepare(); !ok) return std::unexpected(ok.error());
  auto checkpointer = SqliteCheckpointer::open(path);
  if (!checkpointer) return std::unexpected(checkpointer.error());
  writer->checkpointer_ = std::move(*checkpointer);
  return writer;
}

SqliteWriter::SqliteWriter(SqliteConnection connection, std::size_t wal_bytes)
    : connection_(std::move(connection)), wal_bytes_max_(wal_bytes) {}

SqliteWriter::~SqliteWriter() = default;

Result<> SqliteWriter::prepare() {
  // The log's file stays as long as it has become (within a bound): overwriting written blocks
  // needs no journal commit of the file system, and takes 40 % less time than appending.
  const std::string keep =
      fmt::format("PRAGMA journal_size_limit={}", wal_bytes_max_ * (overgrown + 1));
  for (const char* pragma : {"PRAGMA synchronous=FULL", "PRAGMA wal_autocheckpoint=0",
                             "PRAGMA cache_size=-4096", keep.c_str()}) {
    if (auto ok = connection_.execute(pragma); !ok) return ok;
  }
  const auto count_pages = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<SqliteWriter*>(self)->wal_pages_ = static_cast<std::size_t>(pages);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(connection_.get(), count_pages, this);

  const std::pair<std::unique_ptr<SqliteStatement>*, const char*> statements[] = {
      {&begin_, "BEGIN IMMEDIATE"},
      {&commit_, "COMMIT"},
      {&insert_, "INSERT INTO objects(revision, resource, key, bytes) VALUES(?1, ?2, ?3, ?4)"},
      {&erase_, "DELETE FROM objects WHERE revision = ?1"},
      {&revision_, "UPDATE meta SET value = ?1 WHERE name = 'revision'"},
      {&free_, "PRAGMA freelist_count"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = connection_.prepare(sql);
    if (!prepared) return std::unexpected(prepared.error());
    *statement = std::make_unique<SqliteStatement>(std::move(*prepared));
  }
  return measure_free_pages();
}

Result<> SqliteWriter::commit(std::span<const Record> batch) {
  Result<> ok = begin_->run();
  for (auto record = batch.begin(); ok && record != batch.end(); ++record) ok = write(*record);
  // A row says its own revision; a removal leaves none, so the last one's is noted.
  if (ok && !batch.empty() && !batch.back().bytes) {
    revision_->bind(1, batch.back().revision);
    ok = revision_->run();
  }
  if (ok) ok = commit_->run();
  if (!ok) return ok;  // the transaction ends with the connection, and that with the process
  keep_log_short();
  return measure_free_pages();
}

Result<> SqliteWriter::write(const Record& record) {
  if (record.replaces != 0) {
    erase_->bind(1, record.replaces);
    if (auto ok = erase_->run(); !ok) return ok;
    if (sqlite3_changes(connection_.get()) != 1) {
      return fail(Reason::InternalError, "{} {} is not on disk at revision {}, which {} replaces",
                  record.resource, record.key, record.replaces, record.revision);
    }
  }
  if (!record.bytes) return {};
  insert_->bind(1, record.revision);
  insert_->bind_text(2, record.resource);
  insert_->bind_text(3, record.key);
  insert_->bind_blob(4, *record.bytes);
  return insert_->run();
}

// The checkpointer copies the bulk while commits go on; the few pages that came meanwhile are
// copied here, between two commits, so that the next one finds an empty log and overwrites it.
void SqliteWriter::keep_log_short() {
  using State = SqliteCheckpointer::State;
  const std::size_t pages_max = wal_bytes_max_ / page_bytes;
  if (wal_pages_ < std::max(pages_max, retry_pages_)) return;
  if (checkpointer_->state() == State::Idle) return checkpointer_->start();
  if (wal_pages_ >= pages_max * overgrown) checkpointer_->wait();
  if (checkpointer_->state() == State::Working) return;
  auto outcome = checkpointer_->take();
  if (outcome) {
    if (auto rest = checkpoint(connection_.get()); !rest) outcome = std::unexpected(rest.error());
  }
  retry_pages_ = 0;
  if (outcome) return;
  retry_pages_ = wal_pages_ + pages_max;
  log_warn("the store's log could not be copied back, and grows",
           {{"bytes", wal_pages_ * page_bytes}, {"error", outcome.error().message}});
}

Result<> SqliteWriter::measure_free_pages() {
  auto row = free_->step();
  if (row) free_bytes_ = free_->number(0) * static_cast<std::int64_t>(page_bytes);
  free_->reset();
  if (!row) return std::unexpected(row.error());
  return {};
}

}  // namespace keelson
