// A SQLite connection and its prepared statements: closed by their destructors, errors as Results.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace keelson {

// Used by one thread at a time. What is bound must live until the statement is reset.
class SqliteStatement {
 public:
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
  void bind(int parameter, std::int64_t value);
  void bind_text(int parameter, std::string_view value);
  void bind_blob(int parameter, std::string_view value);
  Result<bool> step();  // true: a row is there
  Result<> run();       // to the end, then reset
  void reset();
  std::int64_t number(int column) const;
  std::string text(int column) const;  // of a text or a blob

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class SqliteConnection {
 public:
  // The file is made if it is not there. Closing never checkpoints.
  static Result<SqliteConnection> open(const std::string& path);
  Result<> execute(const char* sql);
  Result<SqliteStatement> prepare(const char* sql);
  sqlite3* get() const { return connection_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  explicit SqliteConnection(sqlite3* connection) : connection_(connection) {}
  std::unique_ptr<sqlite3, Close> connection_;
};

// The last error of the connection, in SQLite's words and the system's.
std::unexpected<Error> sqlite_failure(sqlite3* connection, std::string_view doing);

}  // namespace keelson
