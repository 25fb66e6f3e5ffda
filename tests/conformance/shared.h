// Facts of Kubernetes as tables that lie beside the project, where there are any. A test that needs
// them says "skipped: why" when they are absent.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace keelson {

using Row = std::map<std::string, std::string>;  // by the header's names

// The path of a file below $KEELSON_SHARED or ../shared; nothing, and a line is printed, if there
// is none.
std::optional<std::string> shared_file(const std::string& name);
std::vector<Row> read_table(const std::string& path);  // tab-separated, a header first
std::vector<std::string> read_lines(const std::string& path);

}  // namespace keelson
