// Reading tables.
#include "tests/conformance/shared.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace keelson {
namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::size_t begin = 0;
  for (std::size_t tab = 0; tab != std::string::npos; begin = tab + 1) {
    tab = line.find('\t', begin);
    cells.push_back(line.substr(begin, tab == std::string::npos ? tab : tab - begin));
  }
  return cells;
}

}  // namespace

std::optional<std::string> shared_file(const std::string& name) {
  const char* folder = std::getenv("KEELSON_SHARED");
  const std::string path = std::string(folder ? folder : "../shared") + "/" + name;
  if (std::filesystem::exists(path)) return path;
  std::printf("\nskipped: %s is not here\n", path.c_str());
  return std::nullopt;
}

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<Row> read_table(const std::string& path) {
  const std::vector<std::string> lines = read_lines(path);
  if (lines.empty()) return {};
  const std::vector<std::string> names = split(lines.front());
  std::vector<Row> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> cells = split(lines[i]);
    Row row;
    for (std::size_t k = 0; k < names.size(); ++k) row[names[k]] = k < cells.size() ? cells[k] : "";
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace keelson
