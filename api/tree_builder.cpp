// Trees from the outside in: every open container with the key its next value gets.
#include "api/tree_builder.h"

#include "api/found_paths.h"

namespace keelson {

json::value TreeBuilder::close() {
  json::value whole = std::move(open_.back().container);
  open_.pop_back();
  return whole;
}

bool TreeBuilder::take(std::size_t values) {
  taken_ += values;
  return taken_ <= Limits{}.json_values;
}

bool TreeBuilder::add(json::value value) {
  if (!take(1)) return false;
  if (open_.empty()) {
    document.tree = std::move(value);
    return true;
  }
  Open& parent = open_.back();
  if (parent.container.is_array()) {
    parent.container.get_array().push_back(std::move(value));
    return true;
  }
  auto [at, is_new] = parent.container.get_object().emplace(parent.key, std::move(value));
  if (is_new) return true;
  at->value() = std::move(value);  // emplace has not taken it
  add_found_path(document.duplicates, [&] { return path(); });
  return true;
}

std::string TreeBuilder::path() const {
  std::string text;
  for (const Open& open : open_) {
    if (open.container.is_array()) {
      text += "[" + std::to_string(open.container.get_array().size()) + "]";
    } else {
      if (!text.empty()) text += '.';
      text += open.key;
    }
  }
  return text;
}

}  // namespace keelson
