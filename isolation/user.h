// Who a container's process is: names and numbers from the image's /etc/passwd and /etc/group, read
// without leaving its root.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "isolation/spec.h"

namespace keelson::isolation {

struct User {
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::uint32_t> groups;  // supplementary, gid among them; sorted, each once
  std::string home = "/";
};

// Invalid: the image has no such user or group.
Result<User> resolve_user(int root_fd, const UserSpec& spec);

// fsGroup: everything in folder and the folder itself get this group, its members may read and
// write, new files in its folders take it over (setgid). Symbolic links are not followed. A file
// may be given, too.
Result<> give_to_group(const std::string& folder, std::uint32_t gid);

}  // namespace keelson::isolation
