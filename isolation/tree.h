// Files below a folder that may be hostile: nothing here leaves the folder, whatever links it has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace keelson::isolation {

// "./a//b/" → {"a", "b"}; "/a" → {"a"}. Invalid: a ".." in it, a NUL, or too long.
Result<std::vector<std::string>> split_path(std::string_view path);
std::string join_path(const std::vector<std::string>& parts);  // "a/b"; "." for none

// openat2 below the folder: links are followed, but never out of it.
Result<Fd> open_below(int folder, const std::string& path, int flags, unsigned mode = 0);
// At most bytes_max. NotFound, Invalid: not a plain file, too large.
Result<std::string> read_below(int folder, const std::string& path, std::size_t bytes_max);
// With all that is in it; nothing there is success. Links are removed, not followed.
Result<> remove_below(int folder, const std::string& name);

}  // namespace keelson::isolation
