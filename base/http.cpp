// Header fields, request targets and reason phrases: what HTTP of any version has in common.
#include "base/http.h"

#include <algorithm>

namespace keelson {
namespace {

// Source: RFC 9110; Go's net/http says the same, so that clients print the same.
constexpr std::pair<int, std::string_view> reason_phrases[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {413, "Request Entity Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Entity"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// In a query a plus is a space (application/x-www-form-urlencoded); in a path it is itself.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = high < 0 ? -1 : hex_digit(text[i + 2]);
      if (low < 0) return fail(Reason::BadRequest, "invalid URL escape in {:?}", text);
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// Calls part for each piece between separators; stops at the first error.
template <typename Part>
Result<> split(std::string_view text, char separator, Part part) {
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0) {
      if (Result<> done = part(text.substr(0, end)); !done) return done;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

}  // namespace

std::string_view HttpHeaders::get(std::string_view name) const {
  for (const Field& field : fields_) {
    if (same_word(field.first, name)) return field.second;
  }
  return {};
}

bool HttpHeaders::contains(std::string_view name) const {
  return std::ranges::any_of(fields_, [&](const Field& f) { return same_word(f.first, name); });
}

std::vector<std::string_view> HttpHeaders::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Field& field : fields_) {
    if (same_word(field.first, name)) values.push_back(field.second);
  }
  return values;
}

bool HttpHeaders::has_token(std::string_view name, std::string_view token) const {
  for (const Field& field : fields_) {
    if (!same_word(field.first, name)) continue;
    std::string_view rest = field.second;
    while (!rest.empty()) {
      const auto comma = std::min(rest.find(','), rest.size());
      if (same_word(trim(rest.substr(0, comma)), token)) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

void HttpHeaders::set(std::string_view name, std::string value) {
  remove(name);
  add(std::string(name), std::move(value));
}

void HttpHeaders::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& f) { return same_word(f.first, name); });
}

const std::string* HttpTarget::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<HttpTarget> parse_target(std::string_view target) {
  HttpTarget parsed;
  if (!target.starts_with('/')) {
    // Absolute form, as proxies send it: http://host/path. "*" and CONNECT's authority are not
    // ours.
    const auto scheme = target.find("://");
    if (scheme == std::string_view::npos) {
      return fail(Reason::BadRequest, "request target {:?} is no path", target);
    }
    target.remove_prefix(std::min(target.find('/', scheme + 3), target.size()));
  }
  target = target.substr(0, target.find('#'));
  const auto question = target.find('?');
  parsed.path = target.substr(0, question);
  Result<> done = split(parsed.path, '/', [&](std::string_view part) -> Result<> {
    auto segment = percent_decode(part, false);
    if (!segment) return std::unexpected(segment.error());
    parsed.segments.push_back(std::move(*segment));
    return {};
  });
  if (!done) return std::unexpected(done.error());
  if (question == std::string_view::npos) return parsed;
  done = split(target.substr(question + 1), '&', [&](std::string_view part) -> Result<> {
    const auto equals = std::min(part.find('='), part.size());
    auto key = percent_decode(part.substr(0, equals), true);
    if (!key) return std::unexpected(key.error());
    auto value = percent_decode(part.substr(std::min(equals + 1, part.size())), true);
    if (!value) return std::unexpected(value.error());
    parsed.query.emplace_back(std::move(*key), std::move(*value));
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return parsed;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || std::string_view("-._~").contains(c);
    if (unreserved) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return out;
}

std::string HttpResponse::text() const {
  if (body.size() == 1) return *body.front();
  std::string whole;
  for (const Bytes& piece : body) whole += *piece;
  return whole;
}

std::string_view http_reason_phrase(int status) {
  for (const auto& [code, phrase] : reason_phrases) {
    if (code == status) return phrase;
  }
  return "Status";
}

}  // namespace keelson
