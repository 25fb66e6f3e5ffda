// System call filters: profiles compiled once each by libseccomp, kept as the bytes the kernel
// takes.
#pragma once

#include <cstdint>
#include <memory>

#include "base/error.h"
#include "isolation/spec.h"

struct sock_filter;

namespace keelson::isolation {

// A compiled filter; empty: none. Shared, never changed.
using SeccompProgram = std::shared_ptr<const std::vector<sock_filter>>;

// Any thread. Compiling takes 10–15 ms; each distinct (profile, capabilities it depends on) once.
class SeccompCache {
 public:
  SeccompCache();
  ~SeccompCache();
  SeccompCache(const SeccompCache&) = delete;
  SeccompCache& operator=(const SeccompCache&) = delete;

  // capabilities: bit n is CAP_n; some rules allow more to those who have them.
  Result<SeccompProgram> get(const SeccompSpec& spec, std::uint64_t capabilities);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keelson::isolation
