// The default VFS with xWrite and xSync wrapped.
#include "tests/control/failing_vfs.h"

#include <sqlite3.h>

#include <atomic>
#include <cstring>

namespace keelson {
namespace {

// SQLite's interface is C: what its callbacks share has to be reachable without a context.
struct Shared {
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs vfs{};
  std::atomic<int> writes_left{-1}, syncs_left{-1};  // negative: never fails
  std::atomic<bool> failed{false};
};

Shared& shared() {
  static Shared instance;
  return instance;
}

struct File {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File& own(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}

bool fails(std::atomic<int>& left) {
  if (left < 0) return false;
  if (left > 1) {
    --left;
    return false;
  }
  shared().failed = true;
  return true;
}

#define REAL(file, call, ...) \
  own(file).real()->pMethods->call(own(file).real() __VA_OPT__(, ) __VA_ARGS__)

// A write that fails leaves half of it behind, as a real one may.
int write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
  if (!fails(shared().writes_left)) return REAL(file, xWrite, data, bytes, offset);
  REAL(file, xWrite, data, bytes / 2, offset);
  return SQLITE_IOERR_WRITE;
}

int sync(sqlite3_file* file, int flags) {
  return fails(shared().syncs_left) ? SQLITE_IOERR_FSYNC : REAL(file, xSync, flags);
}

const sqlite3_io_methods methods = {
    .iVersion = 3,
    .xClose = [](sqlite3_file* f) { return REAL(f, xClose); },
    .xRead = [](sqlite3_file* f, void* to, int n,
                sqlite3_int64 at) { return REAL(f, xRead, to, n, at); },
    .xWrite = write,
    .xTruncate = [](sqlite3_file* f, sqlite3_int64 size) { return REAL(f, xTruncate, size); },
    .xSync = sync,
    .xFileSize = [](sqlite3_file* f, sqlite3_int64* size) { return REAL(f, xFileSize, size); },
    .xLock = [](sqlite3_file* f, int level) { return REAL(f, xLock, level); },
    .xUnlock = [](sqlite3_file* f, int level) { return REAL(f, xUnlock, level); },
    .xCheckReservedLock = [](sqlite3_file* f,
                             int* out) { return REAL(f, xCheckReservedLock, out); },
    .xFileControl = [](sqlite3_file* f, int op,
                       void* arg) { return REAL(f, xFileControl, op, arg); },
    .xSectorSize = [](sqlite3_file* f) { return REAL(f, xSectorSize); },
    .xDeviceCharacteristics = [](sqlite3_file* f) { return REAL(f, xDeviceCharacteristics); },
    .xShmMap = [](sqlite3_file* f, int page, int size, int extend,
                  void volatile** at) { return REAL(f, xShmMap, page, size, extend, at); },
    .xShmLock = [](sqlite3_file* f, int offset, int n,
                   int flags) { return REAL(f, xShmLock, offset, n, flags); },
    .xShmBarrier = [](sqlite3_file* f) { REAL(f, xShmBarrier); },
    .xShmUnmap = [](sqlite3_file* f, int remove) { return REAL(f, xShmUnmap, remove); },
    .xFetch = [](sqlite3_file* f, sqlite3_int64 at, int n,
                 void** page) { return REAL(f, xFetch, at, n, page); },
    .xUnfetch = [](sqlite3_file* f, sqlite3_int64 at,
                   void* page) { return REAL(f, xUnfetch, at, page); },
};

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* real = shared().real;
  const int code = real->xOpen(real, name, own(file).real(), flags, out_flags);
  file->pMethods = own(file).real()->pMethods ? &methods : nullptr;
  return code;
}

}  // namespace

FailingVfs::FailingVfs() {
  Shared& all = shared();
  all.real = sqlite3_vfs_find(nullptr);
  all.vfs = *all.real;
  all.vfs.zName = "failing";
  all.vfs.szOsFile = static_cast<int>(sizeof(File)) + all.real->szOsFile;
  all.vfs.xOpen = open;
  all.failed = false;
  heal();
  sqlite3_vfs_register(&all.vfs, 1);
}

FailingVfs::~FailingVfs() {
  sqlite3_vfs_unregister(&shared().vfs);
  sqlite3_vfs_register(shared().real, 1);
}

void FailingVfs::fail(Call call, int nth) {
  (call == Call::Write ? shared().writes_left : shared().syncs_left) = nth;
}

bool FailingVfs::has_failed() const {
  return shared().failed;
}

void FailingVfs::heal() {
  shared().writes_left = -1;
  shared().syncs_left = -1;
}

}  // namespace keelson
