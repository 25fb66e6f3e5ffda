// The rules of k8s.io/apimachinery's util/validation, and its texts.
#include "api/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "api/ip_address.h"
#include "api/proto/util/int_or_string.pb.h"

namespace keelson {
namespace {

using Texts = std::vector<std::string>;

constexpr std::size_t label_max = 63;
constexpr std::size_t subdomain_max = 253;

constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_lower_alphanumeric(char c) {
  return is_lower(c) || is_digit(c);
}
constexpr bool is_alphanumeric(char c) {
  return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z');
}

bool all_of(std::string_view text, bool (*is_allowed)(char)) {
  return std::ranges::all_of(text, is_allowed);
}

// first, any number of inner, last: what most names consist of.
bool is_word(std::string_view text, bool (*is_outer)(char), bool (*is_inner)(char)) {
  return !text.empty() && is_outer(text.front()) && is_outer(text.back()) && all_of(text, is_inner);
}

bool is_dns_label(std::string_view text) {
  return is_word(text, is_lower_alphanumeric,
                 [](char c) { return is_lower_alphanumeric(c) || c == '-'; });
}

bool is_dns_subdomain(std::string_view text) {
  while (true) {
    const auto dot = text.find('.');
    if (!is_dns_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// The name part of a label's key, and its value unless that is empty.
bool is_label_word(std::string_view text) {
  return is_word(text, is_alphanumeric,
                 [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

std::string max_length_text(std::size_t max) {
  return fmt::format("must be no more than {} characters", max);
}

// "…, e.g. 'a',  or 'b', regex used …": the commas and blanks are upstream's.
std::string pattern_text(std::string_view what, std::string_view pattern,
                         std::initializer_list<std::string_view> examples) {
  std::string text(what);
  text += " (e.g. ";
  for (std::string_view example : examples) {
    if (!text.ends_with("(e.g. ")) text += " or ";
    text.append("'").append(example).append("', ");
  }
  return text.append("regex used for validation is '").append(pattern).append("')");
}

constexpr std::string_view label_pattern = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
constexpr std::string_view subdomain_pattern =
    R"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)";
constexpr std::string_view qualified_pattern = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

std::string qualified_text(std::string_view part) {
  return pattern_text(
      fmt::format("{} must consist of alphanumeric characters, '-', '_' or '.', and must start and "
                  "end with an alphanumeric character",
                  part),
      qualified_pattern, {"MyName", "my.name", "123-abc"});
}

void add_parent_folder_texts(std::string_view value, Texts& texts) {
  if (value == ".") {
    texts.emplace_back("must not be '.'");
  } else if (value == "..") {
    texts.emplace_back("must not be '..'");
  } else if (value.starts_with("..")) {
    texts.emplace_back("must not start with '..'");
  }
}

}  // namespace

Texts check_dns_subdomain(std::string_view value) {
  Texts texts;
  if (value.size() > subdomain_max) texts.push_back(max_length_text(subdomain_max));
  if (!is_dns_subdomain(value)) {
    texts.push_back(pattern_text(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
        "'.', and must start and end with an alphanumeric character",
        subdomain_pattern, {"example.com"}));
  }
  return texts;
}

Texts check_dns_label(std::string_view value) {
  Texts texts;
  if (value.size() > label_max) texts.push_back(max_length_text(label_max));
  if (is_dns_label(value)) return texts;
  if (is_dns_subdomain(value)) {
    texts.emplace_back("must not contain dots");
  } else {
    texts.push_back(pattern_text(
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
        "must start and end with an alphanumeric character",
        label_pattern, {"my-name", "123-abc"}));
  }
  return texts;
}

Texts check_dns1035_label(std::string_view value) {
  Texts texts;
  if (value.size() > label_max) texts.push_back(max_length_text(label_max));
  if (!is_dns_label(value) || !is_lower(value.front())) {
    texts.push_back(pattern_text(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
        "alphabetic character, and end with an alphanumeric character",
        "[a-z]([-a-z0-9]*[a-z0-9])?", {"my-name", "abc-123"}));
  }
  return texts;
}

Texts check_path_segment(std::string_view value) {
  if (value == "." || value == "..") return {fmt::format("may not be '{}'", value)};
  Texts texts;
  for (const char* part : {"/", "%"}) {
    if (value.contains(part)) texts.push_back(fmt::format("may not contain '{}'", part));
  }
  return texts;
}

Texts check_qualified_name(std::string_view value) {
  Texts texts;
  std::string_view name = value;
  if (const auto slash = value.find('/'); slash != std::string_view::npos) {
    const std::string_view prefix = value.substr(0, slash);
    name = value.substr(slash + 1);
    if (name.contains('/')) {
      return {qualified_text("a qualified name") +
              " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"};
    }
    if (prefix.empty()) texts.emplace_back("prefix part must be non-empty");
    if (!prefix.empty()) {
      for (const auto& text : check_dns_subdomain(prefix)) texts.push_back("prefix part " + text);
    }
  }
  if (name.empty()) {
    texts.emplace_back("name part must be non-empty");
  } else if (name.size() > label_max) {
    texts.push_back("name part " + max_length_text(label_max));
  }
  if (!is_label_word(name)) texts.push_back(qualified_text("name part"));
  return texts;
}

Texts check_label_value(std::string_view value) {
  Texts texts;
  if (value.size() > label_max) texts.push_back(max_length_text(label_max));
  if (!value.empty() && !is_label_word(value)) {
    texts.push_back(pattern_text(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
        "'.', and must start and end with an alphanumeric character",
        "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", {"MyValue", "my_value", "12345"}));
  }
  return texts;
}

Texts check_config_key(std::string_view value) {
  Texts texts;
  if (value.size() > subdomain_max) texts.push_back(max_length_text(subdomain_max));
  const auto is_allowed = [](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
  };
  if (value.empty() || !all_of(value, is_allowed)) {
    texts.push_back(
        pattern_text("a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                     "[-._a-zA-Z0-9]+", {"key.name", "KEY_NAME", "key-name"}));
  }
  add_parent_folder_texts(value, texts);
  return texts;
}

Texts check_port_name(std::string_view value) {
  constexpr std::size_t max = 15;
  Texts texts;
  if (value.size() > max) texts.push_back(max_length_text(max));
  if (value.empty() ||
      !all_of(value, [](char c) { return is_lower_alphanumeric(c) || c == '-'; })) {
    texts.emplace_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (std::ranges::none_of(value, is_lower)) {
    texts.emplace_back("must contain at least one letter (a-z)");
  }
  if (value.contains("--")) texts.emplace_back("must not contain consecutive hyphens");
  if (value.starts_with('-') || value.ends_with('-')) {
    texts.emplace_back("must not begin or end with a hyphen");
  }
  return texts;
}

Texts check_range(std::int64_t value, std::int64_t min, std::int64_t max) {
  if (value >= min && value <= max) return {};
  return {fmt::format("must be between {} and {}, inclusive", min, max)};
}

Texts check_port_number(std::int64_t value) {
  return check_range(value, 1, 65535);
}

Texts check_user_or_group_id(std::int64_t value) {
  return check_range(value, 0, INT32_MAX);
}

Texts check_ip(std::string_view value) {
  if (IpAddress::parse(value)) return {};
  return {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"};
}

Texts check_ipv4(std::string_view value) {
  const auto address = IpAddress::parse(value);
  if (address && address->is_v4()) return {};
  return {"must be a valid IPv4 address"};
}

Texts check_ipv6(std::string_view value) {
  const auto address = IpAddress::parse(value);
  if (address && !address->is_v4()) return {};
  return {"must be a valid IPv6 address"};
}

Texts check_cidr(std::string_view value) {
  const auto slash = value.find('/');
  const auto address = IpAddress::parse(value.substr(0, slash));
  int length = -1;
  if (address && slash != std::string_view::npos) {
    const std::string_view digits = value.substr(slash + 1);
    const auto parsed = std::from_chars(digits.begin(), digits.end(), length);
    if (parsed.ec != std::errc() || parsed.ptr != digits.end()) length = -1;
  }
  if (length >= 0 && length <= (address->is_v4() ? 32 : 128)) return {};
  return {"must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"};
}

Texts check_non_special_ip(std::string_view value) {
  const auto address = IpAddress::parse(value);
  if (!address) return {"must be a valid IP address"};
  if (address->is_unspecified()) return {fmt::format("may not be unspecified ({})", value)};
  if (address->is_loopback()) {
    return {"may not be in the loopback range (127.0.0.0/8, ::1/128)"};
  }
  if (address->is_link_local()) {
    return {"may not be in the link-local range (169.254.0.0/16, fe80::/10)"};
  }
  if (address->is_link_local_multicast()) {
    return {"may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"};
  }
  return {};
}

Texts check_environment_name(std::string_view value) {
  if (value.empty()) return {"environment variable name must be non-empty"};
  if (all_of(value, [](char c) { return c >= ' ' && c <= '~' && c != '='; })) return {};
  return {
      "a valid environment variable name must consist only of printable ASCII characters other "
      "than '='"};
}

Texts check_http_header_name(std::string_view value) {
  if (!value.empty() && all_of(value, [](char c) { return is_alphanumeric(c) || c == '-'; })) {
    return {};
  }
  return {pattern_text("a valid HTTP header must consist of alphanumeric characters or '-'",
                       "[-A-Za-z0-9]+", {"X-Header-Name"})};
}

Texts check_percent(std::string_view value) {
  if (value.size() > 1 && value.ends_with('%') &&
      all_of(value.substr(0, value.size() - 1), is_digit)) {
    return {};
  }
  return {pattern_text("a valid percent string must be a numeric string followed by an ending '%'",
                       "[0-9]+%", {"1%", "93%"})};
}

void check_value(const FieldPath& path, std::string_view value, Check check, FieldErrors& errors) {
  for (const auto& text : check(value)) errors.invalid(path, value, text);
}

void check_number(const FieldPath& path, std::int64_t value, Texts (*check)(std::int64_t value),
                  FieldErrors& errors) {
  for (const auto& text : check(value)) errors.invalid_number(path, value, text);
}

void check_choice(const FieldPath& path, std::string_view value,
                  const std::vector<std::string_view>& choices, FieldErrors& errors) {
  if (value.empty()) return errors.required(path);
  if (std::ranges::find(choices, value) == choices.end()) {
    errors.not_supported(path, value, choices);
  }
}

void check_protocol(const FieldPath& path, std::string_view value, FieldErrors& errors) {
  check_choice(path, value, {"SCTP", "TCP", "UDP"}, errors);
}

void check_port(const FieldPath& path, const intstr::IntOrString& port, FieldErrors& errors) {
  if (port.type() == 0) return check_number(path, port.intval(), check_port_number, errors);
  check_value(path, port.strval(), check_port_name, errors);
}

void check_taint_effect(const FieldPath& path, const std::string& effect, EmptyEffect empty,
                        FieldErrors& errors) {
  if (effect.empty()) {
    if (empty == EmptyEffect::IsMissing) errors.required(path);
    return;
  }
  if (effect == "NoSchedule" || effect == "PreferNoSchedule" || effect == "NoExecute") return;
  errors.not_supported(path, effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"});
}

void check_non_negative(const FieldPath& path, std::int64_t value, FieldErrors& errors) {
  if (value < 0) errors.invalid_number(path, value, "must be greater than or equal to 0");
}

}  // namespace keelson
