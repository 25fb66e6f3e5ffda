// Small files, whole: read with a bound, written so that a reader sees the old or the new.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/error.h"

namespace keelson {

inline constexpr std::size_t small_file_bytes = 16 * 1024 * 1024;

Result<std::string> read_file(const std::string& path, std::size_t bytes_max = small_file_bytes);

// Written beside the path, synced, renamed over it: after a crash the file is the old or the new
// one. Its folder must exist. An error leaves the old one and nothing else.
Result<> replace_file(const std::string& path, std::string_view text, mode_t mode);

}  // namespace keelson
