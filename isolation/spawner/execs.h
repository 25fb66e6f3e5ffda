// Commands run inside containers. They belong to the client that asked: if that goes, they are
// killed.
#pragma once

#include "isolation/spawner/clients.h"
#include "isolation/spawner/core.h"
#include "isolation/spawner/inside.h"

namespace keelson::isolation {

class Execs {
 public:
  Execs(Core& core, Clients& clients) : core_(core), clients_(clients) {}

  void start(const Asker& asker, FdBag& fds);
  void report_came(int index);
  bool child_ended(int pid, int wait_status);  // false: no exec's
  void signal(const Asker& asker, const wire::IdMessage& message);
  void end_of_gone();  // those whose clients are gone

 private:
  struct Exec {
    std::uint64_t id = 0;  // 0: free
    int pid = 0, pidfd = -1, report = -1, terminal = -1;
    Asker asker;
  };

  Exec* take_free();
  const char* prepare(Exec& exec, FdBag& fds, int* result);
  int clone_child(Exec& exec, Inside& inside, int container_pidfd, int unified_fd);
  void started(Exec& exec);
  void release(Exec& exec);

  Core& core_;
  Clients& clients_;
  Exec execs_[wire::execs_max];
  std::uint64_t last_id_ = 0;
};

}  // namespace keelson::isolation
