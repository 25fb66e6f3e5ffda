// What a prepared container is made of, for container.cpp and spawner_client.cpp.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "isolation/container.h"

namespace keelson::isolation {

struct PreparedContainer::Impl {
  std::string id, sandbox_id, label;
  std::uint32_t uid = 0;
  std::vector<std::string> refused;
  std::string spec;     // the bytes of a wire::Spec
  std::vector<Fd> fds;  // that its indexes mean, from 1: 0 is the memfd of spec
  // What is undone if it is not started.
  const CgroupTree* cgroups = nullptr;
  std::string cgroup, writable_folder;
  bool is_started = false;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  // Its index in the request.
  std::int32_t add(Fd fd) {
    fds.push_back(std::move(fd));
    return static_cast<std::int32_t>(fds.size());
  }
};

}  // namespace keelson::isolation
