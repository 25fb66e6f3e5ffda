// A world of its own for tests of the kernel programs: mounts, network namespaces, a bpf file
// system and a cgroup that end with the object, and processes that live in them.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/fd.h"

namespace keelson::proxy {

// Prints "skipped: why" and returns true where the kernel programs cannot be tested at all.
bool cannot_test_programs();

class Sandbox {
 public:
  Sandbox();
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  const std::string& cgroup() const { return cgroup_; }
  std::string make_cgroup(const std::string& name);  // below it; its path
  std::string make_bpffs(const std::string& name);   // a folder in a bpf file system

  // Runs lines of `ip -batch` in a network namespace ("": the sandbox's own); dies with what
  // failed.
  void ip(const std::string& net_namespace, const std::string& batch);
  void sysctl(const std::string& net_namespace, const std::string& name, const std::string& value);

  // Runs with the sandbox's mounts and in one of its network namespaces (as of `ip netns`; "": the
  // first), in this process.
  template <typename Run>
  auto inside(const std::string& net_namespace, Run run) {
    const Visit visit(*this, net_namespace);
    return run();
  }
  // Runs in a process of its own in the namespace and in a cgroup ("": as this process); returns
  // what run returned, or "no answer" if that took longer than 10 s.
  std::string as_client(const std::string& net_namespace, const std::string& cgroup,
                        const std::function<std::string()>& run);
  // The same while change runs here, from when run has first asked whether to go on.
  std::string meanwhile(const std::string& net_namespace, const std::string& cgroup,
                        const std::function<std::string(const std::function<bool()>&)>& run,
                        const std::function<void()>& change);
  // The same for what goes on until the sandbox ends. run says when it is ready by calling its
  // argument.
  void serve(const std::string& net_namespace,
             const std::function<void(const std::function<void()>& ready)>& run);

 private:
  class Visit {  // there and back
   public:
    Visit(const Sandbox& sandbox, const std::string& net_namespace);
    ~Visit();

   private:
    Fd home_mounts_, home_net_;
  };
  static std::string read_answer(int pipe, pid_t pid);
  pid_t start(const std::string& net_namespace, const std::string& cgroup,
              const std::function<void()>& run);

  std::string cgroup_;
  Fd mounts_, net_;
  std::vector<std::string> child_cgroups_;
  std::vector<pid_t> servers_;
};

}  // namespace keelson::proxy
