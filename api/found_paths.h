// Paths of what is wrong with a document. Neither their number nor their length may grow with it:
// what follows the first hundred is not more interesting, and a path may hold a megabyte's key a
// hundred times.
#pragma once

#include <string>
#include <vector>

namespace keelson {

inline constexpr std::size_t found_paths_max = 100;
inline constexpr std::size_t found_path_bytes_max = 1024;

// make() gives the path; it is called only if there is room.
void add_found_path(std::vector<std::string>& paths, auto make) {
  if (paths.size() >= found_paths_max) return;
  std::string path = make();
  if (path.size() > found_path_bytes_max) path.resize(found_path_bytes_max);
  paths.push_back(std::move(path));
}

}  // namespace keelson
