// memfd_create, write, seal.
#include "isolation/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

namespace keelson::isolation {

Result<Fd> sealed_memfd(const char* name, std::string_view bytes) {
  Fd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return fail_errno(errno, "make a memfd");
  while (!bytes.empty()) {
    const auto put = ::write(fd.get(), bytes.data(), bytes.size());
    if (put < 0) return fail_errno(errno, "write a memfd");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  constexpr int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (fcntl(fd.get(), F_ADD_SEALS, seals) < 0) return fail_errno(errno, "seal a memfd");
  return fd;
}

}  // namespace keelson::isolation
