// Sandboxes: namespaces that are kept while they have no process.
#pragma once

#include "isolation/spawner/clients.h"
#include "isolation/spawner/containers.h"
#include "isolation/spawner/core.h"

namespace keelson::isolation {

class Sandboxes {
 public:
  Sandboxes(Core& core, Clients& clients, Containers& containers)
      : core_(core), clients_(clients), containers_(containers) {}

  void hold(const Asker& asker, const wire::SandboxMessage& message, FdBag& fds);
  void release(const Asker& asker, const wire::IdMessage& message);
  // After the containers: one whose descriptors are lost is found again by a container in it.
  void adopt_all();

 private:
  bool adopt(SandboxSlot& slot, int number);
  int open_from_container(const SandboxSlot& slot, int kind) const;
  void drop_all(int number);

  Core& core_;
  Clients& clients_;
  Containers& containers_;
};

}  // namespace keelson::isolation
