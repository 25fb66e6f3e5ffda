// Image names as Docker understands them: [registry[:port]/]path[:tag][@sha256:…].
#include <algorithm>

#include "isolation/digest.h"
#include "isolation/image_store.h"

namespace keelson::isolation {
namespace {

constexpr std::size_t name_max = 255;
constexpr std::size_t tag_max = 128;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Letters and digits with single '.', one or two '_' or any '-' between them.
bool is_component(std::string_view text) {
  if (text.empty() || !is_lower_or_digit(text.front()) || !is_lower_or_digit(text.back())) {
    return false;
  }
  if (text.contains("..") || text.contains("___")) return false;
  return std::ranges::all_of(
      text, [](char c) { return is_lower_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_path(std::string_view path) {
  while (true) {
    const auto slash = path.find('/');
    if (!is_component(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool is_registry(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.front() == '-') return false;
  return std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
  });
}

bool is_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > tag_max || tag.front() == '.' || tag.front() == '-') return false;
  return std::ranges::all_of(tag, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
  });
}

}  // namespace

Result<std::string> normalize_image_name(const std::string& name) {
  const auto invalid = [&] { return fail(Reason::Invalid, "image name \"{}\" is invalid", name); };
  std::string_view rest = name;
  std::string end;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    end = rest.substr(at);
    if (!end.starts_with("@sha256:") || !is_sha256(end.substr(8))) return invalid();
    rest = rest.substr(0, at);
  }
  const auto last_slash = rest.rfind('/');
  const auto colon = rest.rfind(':');
  if (colon != std::string_view::npos &&
      (last_slash == std::string_view::npos || colon > last_slash)) {
    if (!is_tag(rest.substr(colon + 1))) return invalid();
    if (end.empty()) end = rest.substr(colon);
    rest = rest.substr(0, colon);
  }
  if (end.empty()) end = ":latest";
  // The first part is a registry if it looks like a host.
  const auto slash = rest.find('/');
  const std::string_view first = rest.substr(0, slash);
  std::string registry = "docker.io";
  if (slash != std::string_view::npos &&
      (first.find_first_of(".:") != std::string_view::npos || first == "localhost")) {
    registry = first == "index.docker.io" ? "docker.io" : std::string(first);
    rest.remove_prefix(slash + 1);
  }
  std::string path(rest);
  if (registry == "docker.io" && !path.contains('/')) path.insert(0, "library/");
  if (!is_registry(registry) || !is_path(path) || registry.size() + path.size() > name_max) {
    return invalid();
  }
  return registry + "/" + path + end;
}

}  // namespace keelson::isolation
