// OCI profiles: defaultAction, syscalls[] with names, action, args, includes and excludes.
#include <boost/json.hpp>

#include "isolation/seccomp_profile.h"

namespace keelson::isolation {
namespace {

namespace json = boost::json;

constexpr std::size_t profile_bytes_max = 1 << 20;

std::string text_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::uint64_t number_in(const json::object& object, std::string_view key, std::uint64_t otherwise) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return otherwise;
  if (value->is_uint64()) return value->get_uint64();
  return value->is_int64() && value->get_int64() >= 0
             ? static_cast<std::uint64_t>(value->get_int64())
             : otherwise;
}

std::vector<std::string> texts_in(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_array()) return texts;
  for (const auto& each : value->get_array()) {
    if (each.is_string()) texts.emplace_back(each.get_string());
  }
  return texts;
}

const json::object& object_in(const json::object& object, std::string_view key) {
  static const json::object nothing;
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : nothing;
}

Result<SeccompRule> parse_rule(const json::object& object) {
  SeccompRule rule;
  rule.names = texts_in(object, "names");
  if (rule.names.empty() && object.contains("name")) rule.names = {text_in(object, "name")};
  rule.action = text_in(object, "action");
  rule.error_number = static_cast<int>(number_in(object, "errnoRet", 1));
  const auto* arguments = object.if_contains("args");
  if (arguments != nullptr && arguments->is_array()) {
    for (const auto& each : arguments->get_array()) {
      if (!each.is_object()) return fail(Reason::Invalid, "seccomp profile: args: want objects");
      const auto& argument = each.get_object();
      rule.arguments.push_back({static_cast<unsigned>(number_in(argument, "index", 0)),
                                text_in(argument, "op"), number_in(argument, "value", 0),
                                number_in(argument, "valueTwo", 0)});
    }
  }
  const auto& includes = object_in(object, "includes");
  const auto& excludes = object_in(object, "excludes");
  rule.with_capabilities = texts_in(includes, "caps");
  rule.without_capabilities = texts_in(excludes, "caps");
  rule.machines = texts_in(includes, "arches");
  rule.not_machines = texts_in(excludes, "arches");
  if (rule.names.empty()) return fail(Reason::Invalid, "seccomp profile: a rule without names");
  return rule;
}

}  // namespace

Result<SeccompProfile> parse_seccomp_profile(std::string_view text) {
  if (text.size() > profile_bytes_max) {
    return fail(Reason::Invalid, "seccomp profile: at most {} bytes", profile_bytes_max);
  }
  boost::system::error_code error;
  const json::value document = json::parse({text.data(), text.size()}, error);
  if (error || !document.is_object()) {
    return fail(Reason::Invalid, "seccomp profile: {}", error ? error.message() : "not an object");
  }
  const auto& object = document.get_object();
  SeccompProfile profile;
  profile.default_action = text_in(object, "defaultAction");
  profile.default_error_number = static_cast<int>(number_in(object, "defaultErrnoRet", 1));
  const auto* rules = object.if_contains("syscalls");
  if (profile.default_action.empty() || (rules != nullptr && !rules->is_array())) {
    return fail(Reason::Invalid, "seccomp profile: want defaultAction and syscalls");
  }
  if (rules == nullptr) return profile;
  for (const auto& each : rules->get_array()) {
    if (!each.is_object()) return fail(Reason::Invalid, "seccomp profile: syscalls: want objects");
    auto rule = parse_rule(each.get_object());
    if (!rule) return std::unexpected(rule.error());
    profile.rules.push_back(std::move(*rule));
  }
  return profile;
}

}  // namespace keelson::isolation
