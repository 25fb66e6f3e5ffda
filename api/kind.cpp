// What a row says of itself. (The table of all rows is kinds.cpp.)
#include <algorithm>

#include <google/protobuf/message.h>

#include "api/kinds.h"

namespace keelson {

std::string Kind::api_version() const {
  return group.empty() ? std::string(version) : fmt::format("{}/{}", group, version);
}

std::string Kind::qualified_resource() const {
  return group.empty() ? std::string(plural) : fmt::format("{}.{}", plural, group);
}

bool Kind::has_verb(std::string_view verb) const {
  return std::ranges::find(verbs, verb) != verbs.end();
}

const Subresource* Kind::subresource(std::string_view subresource_name) const {
  auto found = std::ranges::find(subresources, subresource_name, &Subresource::name);
  return found == subresources.end() ? nullptr : &*found;
}

std::unique_ptr<Message> Kind::make_message() const {
  return std::unique_ptr<Message>(prototype->New());
}

}  // namespace keelson
