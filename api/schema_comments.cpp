// Comments from a descriptor set with source positions, which the build puts into the program.
#include "api/schema_comments.h"

#include <cassert>
#include <cstddef>
#include <unordered_map>
#include <utility>

#include <google/protobuf/descriptor.pb.h>

// api/schema_comments.S
extern "C" {
extern const char keelson_schema_set_begin[];
extern const char keelson_schema_set_end[];
}

namespace keelson {
namespace {

using Comments = std::unordered_map<std::string, std::string>;

// Field numbers of FileDescriptorProto and DescriptorProto, of which a location's path consists.
constexpr int message_type_number = 4, field_number = 2;

// One paragraph: lines joined, the space behind "//" gone.
std::string paragraph(std::string_view comment) {
  std::string text;
  for (char c : comment) {
    const bool space = c == '\n' || c == ' ';
    if (!space) {
      text += c;
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

void collect(const google::protobuf::FileDescriptorProto& file, Comments& comments) {
  for (const auto& location : file.source_code_info().location()) {
    const auto& path = location.path();
    const bool message = path.size() == 2 && path[0] == message_type_number;
    const bool field =
        path.size() == 4 && path[0] == message_type_number && path[2] == field_number;
    if (!location.has_leading_comments() || (!message && !field)) continue;
    const auto& type = file.message_type(path[1]);
    std::string name = file.package() + "." + type.name();
    if (field) name += "." + type.field(path[3]).name();
    comments[name] = paragraph(location.leading_comments());
  }
}

Comments load() {
  google::protobuf::FileDescriptorSet set;
  const bool parsed =
      set.ParseFromArray(keelson_schema_set_begin,
                         static_cast<int>(keelson_schema_set_end - keelson_schema_set_begin));
  assert(parsed);
  (void)parsed;
  Comments comments;
  for (const auto& file : set.file()) collect(file, comments);
  return comments;
}

// What is the same wherever it stands.
std::string_view common_comment(std::string_view full_name) {
  constexpr std::pair<std::string_view, std::string_view> comments[] = {
      {".metadata", "Names, labels and versions."},
      {".spec", "What is wanted."},
      {".status", "How it is; written by controllers."},
      {".items", "The objects."},
      {"List", "A list of objects."},
  };
  for (const auto& [ending, comment] : comments) {
    if (full_name.ends_with(ending)) return comment;
  }
  return {};
}

}  // namespace

std::string_view schema_comment(const std::string& full_name) {
  static const Comments comments = load();
  auto found = comments.find(full_name);
  return found == comments.end() ? common_comment(full_name) : found->second;
}

}  // namespace keelson
