// The hand-over: {version, Places, FdStore} in a memfd, descriptors kept open over execve.
#include "isolation/spawner/resume.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "isolation/spawner/decimal.h"

namespace keelson::isolation {
namespace {

struct HandOver {
  std::uint32_t version;
  std::uint32_t size;
  Places places;
  FdStore store;
};

void keep_over_exec(int fd, bool keep) {
  if (fd >= 0) fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
}

void keep_all_over_exec(const Places& places, const FdStore& store, bool keep) {
  for (const int fd : {places.state_folder, places.log_root, places.listener, places.lock,
                       places.null, places.proc, places.pid_namespace}) {
    keep_over_exec(fd, keep);
  }
  for (const auto& row : store.container_fds) {
    for (const int fd : row) keep_over_exec(fd, keep);
  }
  for (const auto& row : store.sandbox_fds) {
    for (const int fd : row) keep_over_exec(fd, keep);
  }
}

// argv with --resume FD at its end, instead of the one it may have.
constexpr int arguments_max = 32;
int arguments_for(char** argv, char* number, const char** out) {
  int count = 0;
  for (; *argv != nullptr && count < arguments_max - 3; ++argv) {
    if (strcmp(*argv, "--resume") == 0) break;
    out[count++] = *argv;
  }
  out[count++] = "--resume";
  out[count++] = number;
  out[count] = nullptr;
  return count;
}

}  // namespace

int exec_and_resume(int program, const Places& places, const FdStore& store, char** argv) {
  const int fd = memfd_create("keelson-resume", 0);
  if (fd < 0 || ftruncate(fd, sizeof(HandOver)) < 0) return -errno;
  void* bytes = mmap(nullptr, sizeof(HandOver), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (bytes == MAP_FAILED) return -errno;
  auto* hand_over = static_cast<HandOver*>(bytes);
  hand_over->version = wire::version;
  hand_over->size = sizeof(HandOver);
  hand_over->places = places;
  memcpy(&hand_over->store, &store, sizeof store);
  munmap(bytes, sizeof(HandOver));
  keep_all_over_exec(places, store, true);
  char number[12];
  put_decimal(number, fd);
  const char* arguments[arguments_max];
  arguments_for(argv, number, arguments);
  execveat(program, "", const_cast<char* const*>(arguments), environ, AT_EMPTY_PATH);
  const int error_number = errno;
  keep_all_over_exec(places, store, false);
  close(fd);
  return -error_number;
}

int resume(int fd, Places& places, FdStore& store) {
  struct stat status {};
  if (fstat(fd, &status) < 0) return -errno;
  if (status.st_size != sizeof(HandOver)) return -EPROTO;
  void* bytes = mmap(nullptr, sizeof(HandOver), PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (bytes == MAP_FAILED) return -errno;
  const auto* hand_over = static_cast<const HandOver*>(bytes);
  const bool is_ours = hand_over->version == wire::version && hand_over->size == sizeof(HandOver);
  if (is_ours) {
    places = hand_over->places;
    memcpy(&store, &hand_over->store, sizeof store);
    keep_all_over_exec(places, store, false);
  }
  munmap(bytes, sizeof(HandOver));
  return is_ours ? 0 : -EPROTO;
}

}  // namespace keelson::isolation
