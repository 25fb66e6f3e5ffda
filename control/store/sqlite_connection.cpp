// The thin layer over SQLite's C interface.
#include "control/store/sqlite_connection.h"

#include <sqlite3.h>

namespace keelson {

std::unexpected<Error> sqlite_failure(sqlite3* connection, std::string_view doing) {
  std::string why = sqlite3_errmsg(connection);
  const int code = sqlite3_errcode(connection) & 0xff;
  const bool is_system_s = code == SQLITE_IOERR || code == SQLITE_CANTOPEN || code == SQLITE_FULL;
  const int system_error = sqlite3_system_errno(connection);
  if (is_system_s && system_error != 0) why += " (" + errno_text(system_error) + ")";
  return fail(Reason::InternalError, "{}: {} [SQLite {}]", doing, why,
              sqlite3_extended_errcode(connection));
}

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void SqliteStatement::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
}

void SqliteStatement::bind_text(int parameter, std::string_view value) {
  sqlite3_bind_text64(statement_.get(), parameter, value.data(), value.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
}

void SqliteStatement::bind_blob(int parameter, std::string_view value) {
  // A null pointer would bind NULL: an empty message is an empty blob.
  const char* data = value.empty() ? "" : value.data();
  sqlite3_bind_blob64(statement_.get(), parameter, data, value.size(), SQLITE_STATIC);
}

Result<bool> SqliteStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sqlite_failure(sqlite3_db_handle(statement_.get()), sqlite3_sql(statement_.get()));
}

Result<> SqliteStatement::run() {
  for (;;) {
    auto more = step();
    if (!more) {
      reset();
      return std::unexpected(more.error());
    }
    if (!*more) break;
  }
  reset();
  return {};
}

void SqliteStatement::reset() {
  sqlite3_reset(statement_.get());
}

std::int64_t SqliteStatement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string SqliteStatement::text(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);  // first: it may convert
  const int bytes = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(data), static_cast<std::size_t>(bytes)};
}

void SqliteConnection::Close::operator()(sqlite3* connection) const {
  sqlite3_close_v2(connection);
}

Result<SqliteConnection> SqliteConnection::open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  SqliteConnection connection(raw);
  if (code != SQLITE_OK) return sqlite_failure(raw, "open " + path);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return connection;
}

Result<> SqliteConnection::execute(const char* sql) {
  if (sqlite3_exec(get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return sqlite_failure(get(), sql);
}

Result<SqliteStatement> SqliteConnection::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
      SQLITE_OK) {
    return sqlite_failure(get(), sql);
  }
  return SqliteStatement(statement);
}

}  // namespace keelson
