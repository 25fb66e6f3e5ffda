// From a specification to something the spawner can start: the ordered steps of the agent's half.
// The other half runs inside the child: spawner/inside.cpp.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "isolation/cgroup.h"
#include "isolation/kernel.h"
#include "isolation/seccomp.h"
#include "isolation/spec.h"

namespace keelson::isolation {

// Namespaces made and set up, not held by the spawner yet. Dropping it drops them.
struct Sandbox {
  std::string id, label;
  Fd net_namespace = Fd(), ipc_namespace = Fd(), uts_namespace = Fd();  // empty: the node's own
};

// Blocking (about 0.4 ms), any thread. An error leaves nothing behind.
Result<Sandbox> make_sandbox(const SandboxSpec& spec, Kernel& kernel = linux_kernel());
// Unmounts and removes its folder. Nothing there is success.
Result<> remove_sandbox_folder(const std::string& folder);

// A root mounted, users resolved, cgroup made, sources opened: all that start() sends. Dropping it
// before start() undoes it.
class PreparedContainer {
 public:
  PreparedContainer(PreparedContainer&&) noexcept;
  PreparedContainer& operator=(PreparedContainer&&) noexcept;
  ~PreparedContainer();

  const std::string& id() const;
  // What was asked for and this node cannot give ("capability SYS_RESOURCE"), for events.
  const std::vector<std::string>& refused() const;
  std::uint32_t uid() const;

  struct Impl;  // container_impl.h
  explicit PreparedContainer(std::unique_ptr<Impl> impl);
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Blocking (about 1 ms; the first use of a seccomp profile 15 ms), any thread. Invalid: the
// specification can never work (unknown user, bad path); else what the kernel said.
Result<PreparedContainer> prepare_container(const ContainerSpec& spec, const CgroupTree& cgroups,
                                            SeccompCache& seccomp, Kernel& kernel = linux_kernel());

// After forget(): ends what is left in its cgroup and removes that, and the writable folder.
// Blocking. Nothing there is success.
Result<> remove_container_remains(const std::string& writable_folder, const std::string& cgroup,
                                  const CgroupTree& cgroups);

}  // namespace keelson::isolation
