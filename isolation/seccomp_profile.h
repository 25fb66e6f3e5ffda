// A system call filter as data: the runtime's default, or an OCI profile from a file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace keelson::isolation {

struct SeccompArgument {
  unsigned index = 0;  // 0…5
  std::string op;      // "SCMP_CMP_EQ" …
  std::uint64_t value = 0, value_two = 0;
};

struct SeccompRule {
  std::vector<std::string> names;
  std::string action = "SCMP_ACT_ALLOW";
  int error_number = 1;                         // of SCMP_ACT_ERRNO
  std::vector<SeccompArgument> arguments = {};  // all must hold
  // Whom it is for: with all of these capabilities, and none of those; on one of these machines,
  // and none of those (Docker's words: "amd64", "arm64").
  std::vector<std::string> with_capabilities = {}, without_capabilities = {};
  std::vector<std::string> machines = {}, not_machines = {};
};

struct SeccompProfile {
  std::string default_action = "SCMP_ACT_ERRNO";
  int default_error_number = 1;
  std::vector<SeccompRule> rules;
};

// What RuntimeDefault means: moby's and containerd's rules, without io_uring.
SeccompProfile default_seccomp_profile();

// An OCI profile, or Docker's dialect of it. Invalid: says what is wrong.
Result<SeccompProfile> parse_seccomp_profile(std::string_view json);

}  // namespace keelson::isolation
