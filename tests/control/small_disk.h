// A file system of a few megabytes, seen by this thread and those it starts.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include <string>

#include "base/fd.h"
#include "tests/control/temp_folder.h"

namespace keelson {

class SmallDisk {
 public:
  explicit SmallDisk(int mebibytes) : before_(::open("/proc/thread-self/ns/mnt", O_RDONLY)) {
    if (::unshare(CLONE_NEWNS) != 0) return;
    ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    const std::string size = "size=" + std::to_string(mebibytes) + "m";
    mounted_ = ::mount("keelson-test", folder_.path().c_str(), "tmpfs", 0, size.c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
    ::setns(before_.get(), CLONE_NEWNS);
  }
  bool mounted() const { return mounted_; }  // false: needs root
  std::string file(const std::string& name) const { return folder_.file(name); }

 private:
  TempFolder folder_;
  Fd before_;
  bool mounted_ = false;
};

}  // namespace keelson
