// Opening, loading, and the thread that commits.
#include "control/store/sqlite.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cassert>
#include <filesystem>

#include "control/store/sqlite_connection.h"
#include "control/store/sqlite_writer.h"

namespace keelson {
namespace {

constexpr std::int64_t schema_version = 1;

// Held until the process ends, however it ends.
Result<Fd> take_lock(const std::string& path) {
  Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return fail_errno(errno, "open {}", path);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return fail_errno(errno, "lock {}", path);
  return fail(Reason::ServiceUnavailable,
              "the store is in use by another process, which holds {}: end that one first", path);
}

// The database holds Secrets: it, and with it the log that SQLite puts beside it, is 0600.
Result<> make_private_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return fail_errno(errno, "open {}", path);
  const Fd folder(::open(std::filesystem::path(path).parent_path().c_str(),
                         O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0)
    return fail_errno(errno, "fsync the folder of {}", path);
  return {};
}

Result<> make_schema(SqliteConnection& connection) {
  const std::string sql = fmt::format(
      "BEGIN IMMEDIATE;"
      "CREATE TABLE IF NOT EXISTS meta("
      "  name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
      "CREATE TABLE IF NOT EXISTS objects("
      "  revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, key TEXT NOT NULL,"
      "  bytes BLOB NOT NULL) STRICT;"
      "INSERT OR IGNORE INTO meta VALUES('schema', {}), ('revision', 0);"
      "COMMIT",
      schema_version);
  return connection.execute(sql.c_str());
}

Result<std::int64_t> read_number(SqliteConnection& connection, const char* sql) {
  auto query = connection.prepare(sql);
  if (!query) return std::unexpected(query.error());
  auto row = query->step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(Reason::InternalError, "{}: no row", sql);
  return query->number(0);
}

// Exclusive, so that SQLite keeps the index of its log on the heap: on a disk without a free byte
// the state can still be read.
Result<SqliteConnection> open_to_load(const std::string& path) {
  auto connection = SqliteConnection::open(path);
  if (!connection) return connection;
  for (const char* pragma :
       {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"}) {
    if (auto ok = connection->execute(pragma); !ok) return std::unexpected(ok.error());
  }
  auto tables = read_number(*connection, "SELECT count(*) FROM sqlite_schema");
  if (!tables) return std::unexpected(tables.error());
  if (*tables == 0) {
    if (auto ok = make_schema(*connection); !ok) return std::unexpected(ok.error());
  }
  auto version = read_number(*connection, "SELECT value FROM meta WHERE name = 'schema'");
  if (!version) return std::unexpected(version.error());
  if (*version != schema_version) {
    return fail(Reason::InternalError,
                "its schema has version {}, this program knows {}: run the version that wrote it",
                *version, schema_version);
  }
  return connection;
}

Result<Revision> load_all(SqliteConnection& connection,
                          const std::function<Result<>(Record)>& each) {
  auto revision = read_number(connection, "SELECT value FROM meta WHERE name = 'revision'");
  if (!revision) return revision;
  auto rows =
      connection.prepare("SELECT revision, resource, key, bytes FROM objects ORDER BY revision");
  if (!rows) return std::unexpected(rows.error());
  for (;;) {
    auto row = rows->step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return revision;
    Record record{.revision = rows->number(0),
                  .resource = rows->text(1),
                  .key = rows->text(2),
                  .bytes = rows->text(3)};
    revision = std::max(*revision, record.revision);
    if (auto ok = each(std::move(record)); !ok) return std::unexpected(ok.error());
  }
}

}  // namespace

Result<std::unique_ptr<SqliteDurable>> SqliteDurable::open(std::string path, Loop& loop,
                                                           const Limits& limits) {
  path = std::filesystem::absolute(path).string();
  auto lock = take_lock(path + ".lock");
  if (!lock) return std::unexpected(lock.error());
  if (auto ok = make_private_file(path); !ok) return std::unexpected(ok.error());
  return std::unique_ptr<SqliteDurable>(
      new SqliteDurable(std::move(path), std::move(*lock), loop, limits));
}

SqliteDurable::SqliteDurable(std::string path, Fd lock, Loop& loop, const Limits& limits)
    : path_(std::move(path)), lock_(std::move(lock)), loop_(loop), limits_(limits) {}

SqliteDurable::~SqliteDurable() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<Revision> SqliteDurable::load(const std::function<Result<>(Record)>& each) {
  assert(!thread_.joinable());
  Result<Revision> revision = 0;
  {
    auto connection = open_to_load(path_);
    if (!connection) return connection.error().during("read the store {}", path_);
    revision = load_all(*connection, each);
  }
  if (!revision) return revision.error().during("read the store {}", path_);
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "store log");
  return revision;
}

void SqliteDurable::append(std::vector<Record> batch, Done done) {
  assert(thread_.joinable());
  {
    const std::lock_guard guard(mutex_);
    assert(!job_);
    job_ = std::make_unique<Job>(Job{std::move(batch), std::move(done)});
  }
  changed_.notify_all();
}

void SqliteDurable::run() {
  std::unique_lock guard(mutex_);
  for (;;) {
    changed_.wait(guard, [this] { return job_ || stopping_; });
    if (!job_) return;
    std::unique_ptr<Job> job = std::move(job_);
    guard.unlock();
    auto written = write(job->batch);
    loop_.post([done = std::move(job->done), written = std::move(written)]() mutable {
      done(std::move(written));
    });
    guard.lock();
  }
}

// The connection is opened by the first batch: before that, nothing needs room on the disk.
Result<Revision> SqliteDurable::write(const std::vector<Record>& batch) {
  if (!writer_) {
    auto opened = SqliteWriter::open(path_, limits_.wal_bytes);
    if (!opened) return std::unexpected(opened.error());
    writer_ = std::move(*opened);
  }
  if (auto ok = writer_->commit(batch); !ok) return std::unexpected(ok.error());
  free_bytes_ = writer_->free_bytes();
  return batch.back().revision;
}

// Pages free inside the file stand for the half of the reserve that later checkpoints may need;
// the other half must be free on the disk itself, for the log.
std::int64_t SqliteDurable::room_bytes() const {
  struct statvfs disk {};
  if (::statvfs(path_.c_str(), &disk) != 0) return 0;
  const auto free_on_disk = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
  const auto reserve = static_cast<std::int64_t>(limits_.disk_reserve_bytes);
  return std::min(free_on_disk - reserve / 2, free_on_disk + free_bytes_ - reserve);
}

std::string SqliteDurable::place() const {
  return std::filesystem::path(path_).parent_path().string();
}

}  // namespace keelson
