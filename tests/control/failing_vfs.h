// SQLite's file system with one call that fails, as a disk does.
#pragma once

namespace keelson {

// While it lives, files that SQLite opens go through it. Any thread.
class FailingVfs {
 public:
  enum class Call { Write, Sync };
  FailingVfs();
  ~FailingVfs();
  void fail(Call call, int nth);  // the nth from now, and all after it
  bool has_failed() const;
  void heal();
};

}  // namespace keelson
