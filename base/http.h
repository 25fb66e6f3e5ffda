// HTTP messages as everyone sees them, whatever transport brought them. The server is in
// http_server.h, the client in http_client.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace keelson {

// Header fields in order; names compare without case.
class HttpHeaders {
 public:
  using Field = std::pair<std::string, std::string>;

  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<Field> fields) : fields_(fields) {}

  // The first of that name; "" if there is none (use contains() where that matters).
  std::string_view get(std::string_view name) const;
  bool contains(std::string_view name) const;
  std::vector<std::string_view> all(std::string_view name) const;
  // Is this word among the comma-separated ones of all fields of that name? Without case:
  // has_token("Connection", "upgrade").
  bool has_token(std::string_view name, std::string_view token) const;
  void add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  void set(std::string_view name, std::string value);  // instead of all of that name
  void remove(std::string_view name);

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<Field> fields_;
};

// A request target taken apart: "/api/v1/pods/a%2Fb?limit=5" → {"api","v1","pods","a/b"}, limit=5.
struct HttpTarget {
  std::string path;                                        // as sent, without the query
  std::vector<std::string> segments;                       // decoded; empty ones are left out
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order

  const std::string* parameter(std::string_view name) const;  // the first; null if there is none
};
Result<HttpTarget> parse_target(std::string_view target);  // BadRequest: bad %-encoding

std::string percent_encode(std::string_view text);  // all but the unreserved of RFC 3986

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  // as on the wire: path and query
  HttpHeaders headers = {};
  std::string body = {};
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers = {};
  std::vector<Bytes> body = {};  // sent one after the other; shared, never copied to be kept

  // Of a response that came: the body in one piece.
  std::string text() const;
};

std::string_view http_reason_phrase(int status);  // "Not Found"

}  // namespace keelson
