// Scalars of YAML 1.1, by the rules of go-yaml v2.
#include "api/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

#include "api/go_text.h"

namespace keelson {
namespace {

namespace json = boost::json;

constexpr std::string_view words_true[] = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                           "True", "TRUE", "on",  "On",  "ON"};
constexpr std::string_view words_false[] = {"n",     "N",     "no",  "No",  "NO", "false",
                                            "False", "FALSE", "off", "Off", "OFF"};
constexpr std::string_view words_null[] = {"", "~", "null", "Null", "NULL"};
constexpr std::string_view words_not_json[] = {".nan",  ".NaN",  ".NAN",  ".inf",
                                               ".Inf",  ".INF",  "+.inf", "+.Inf",
                                               "+.INF", "-.inf", "-.Inf", "-.INF"};

bool is_one_of(std::span<const std::string_view> words, std::string_view text) {
  return std::ranges::find(words, text) != words.end();
}

struct Radix {
  std::string_view prefix;
  int base;
};
constexpr Radix radices[] = {{"0x", 16}, {"0X", 16}, {"0o", 8}, {"0O", 8},
                             {"0b", 2},  {"0B", 2},  {"0", 8}};

// As Go's ParseInt with base 0 reads it, and ParseUint for what only fits there.
std::optional<json::value> integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1) {
    for (const Radix& radix : radices) {
      if (base != 10 || !text.starts_with(radix.prefix)) continue;
      base = radix.base;
      text.remove_prefix(radix.prefix.size());
    }
  }
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  constexpr std::uint64_t least = std::uint64_t{1} << 63;  // without its sign
  if (negative && number > least) return std::nullopt;
  if (negative) return json::value(static_cast<std::int64_t>(0 - number));
  if (number < least) return json::value(static_cast<std::int64_t>(number));
  return json::value(number);
}

bool is_float(std::string_view text) {
  auto digits = [&] {
    std::size_t count = 0;
    while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
    text.remove_prefix(count);
    return count;
  };
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  const std::size_t whole = digits();
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = digits();
  }
  if (whole + fraction == 0) return false;
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return digits() > 0 && text.empty();
}

// A whole number is an integer in JSON, however it was written.
std::optional<json::value> floating(std::string_view text) {
  if (!is_float(text)) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return std::nullopt;
  constexpr double integer_max = 9.2e18;
  if (std::trunc(number) == number && std::abs(number) < integer_max) {
    return json::value(static_cast<std::int64_t>(number));
  }
  return json::value(number);
}

Result<json::value> resolve_plain(const std::string& text) {
  if (is_one_of(words_null, text)) return json::value(nullptr);
  if (is_one_of(words_true, text)) return json::value(true);
  if (is_one_of(words_false, text)) return json::value(false);
  if (is_one_of(words_not_json, text)) {
    return fail(Reason::BadRequest, "json: unsupported value: {}", text);
  }
  if (!std::string_view("+-.0123456789").contains(text[0])) return json::value(text);
  std::string plain = text;
  if (text[0] != '.') std::erase(plain, '_');
  if (auto number = integer(plain)) return *number;
  if (auto number = floating(plain)) return *number;
  return json::value(text);
}

}  // namespace

Result<json::value> resolve_yaml_scalar(std::string_view tag, const std::string& text) {
  constexpr std::string_view prefix = "tag:yaml.org,2002:";
  if (tag == "?" || tag.empty()) return resolve_plain(text);
  if (!tag.starts_with(prefix)) return json::value(text);  // quoted, or of a tag we do not know
  const std::string_view type = tag.substr(prefix.size());
  if (type == "binary") {
    return fail(Reason::BadRequest, "!!binary is not supported: write the base64 as it is");
  }
  if (type != "bool" && type != "int" && type != "float" && type != "null")
    return json::value(text);
  auto value = resolve_plain(text);
  if (!value) return value;
  const bool fits = type == "bool"   ? value->is_bool()
                    : type == "null" ? value->is_null()
                    : type == "int"  ? value->is_int64() || value->is_uint64()
                                     : value->is_number();
  if (fits) return value;
  return fail(Reason::BadRequest, "cannot decode `{}` as a !!{}", text, type);
}

Result<std::string> yaml_key(const json::value& scalar) {
  if (scalar.is_string()) return std::string(scalar.get_string());
  if (scalar.is_bool()) return scalar.get_bool() ? "true" : "false";
  if (scalar.is_int64()) return std::to_string(scalar.get_int64());
  if (scalar.is_uint64()) return std::to_string(scalar.get_uint64());
  if (scalar.is_double()) return fmt::format("{}", static_cast<float>(scalar.get_double()));
  return fail(Reason::BadRequest, "a key of a map must be a string, a number or a boolean");
}

}  // namespace keelson
