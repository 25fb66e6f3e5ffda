// Documents and patch go into files of a folder of their own; what it prints is taken apart.
#include "tests/api/kubectl_patch.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace keelson {
namespace {

struct Folder {
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "keelson-patch-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

void write(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path) << text;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Documents follow each other; each ends in a line of its own.
Result<std::vector<json::value>> take_apart(const std::string& text) {
  constexpr std::string_view end = "\n}\n";
  std::vector<json::value> documents;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = text.find(end, at);
    if (next == std::string::npos) break;
    auto document = parse_json(std::string_view(text).substr(at, next + end.size() - at));
    if (!document) return std::unexpected(document.error());
    documents.push_back(std::move(document->tree));
    at = next + end.size();
  }
  return documents;
}

}  // namespace

bool has_kubectl() {
  return std::system("command -v kubectl >/dev/null 2>&1") == 0;
}

Result<std::vector<json::value>> kubectl_patch(std::string_view type,
                                               const std::vector<json::object>& documents,
                                               const json::value& patch) {
  const Folder folder;
  const json::array items(documents.begin(), documents.end());
  write(folder.path / "documents.json",
        to_text({{"apiVersion", "v1"}, {"kind", "List"}, {"items", items}}));
  write(folder.path / "patch.json", to_text(patch));
  const std::string command = fmt::format(
      "cd {} && HOME=. KUBECONFIG=/dev/null kubectl patch --local --type={} -f documents.json "
      "--patch-file patch.json -o json >out 2>error",
      folder.path.string(), type);
  if (std::system(command.c_str()) != 0) {
    return fail(Reason::Unknown, "{}", read(folder.path / "error"));
  }
  return take_apart(read(folder.path / "out"));
}

}  // namespace keelson
