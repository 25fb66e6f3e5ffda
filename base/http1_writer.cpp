// Text of heads, made in one string each.
#include "base/http1_writer.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <iterator>

namespace keelson {
namespace {

// A line break inside a name or value would begin a line of the sender's choosing.
void append_text(std::string& out, std::string_view text) {
  for (const char c : text) out += static_cast<unsigned char>(c) < ' ' && c != '\t' ? ' ' : c;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  append_text(out, name);
  out += ": ";
  append_text(out, value);
  out += "\r\n";
}

bool same_word(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
  }
  return true;
}

template <std::size_t count>
void append_fields_but(std::string& out, const HttpHeaders& headers,
                       const std::array<std::string_view, count>& ours) {
  for (const auto& [name, value] : headers) {
    bool is_ours = false;
    for (const std::string_view own : ours) is_ours = is_ours || same_word(name, own);
    if (!is_ours) append_field(out, name, value);
  }
}

// "Sun, 06 Nov 1994 08:49:37 GMT", made once a second.
void append_date(std::string& out, WallTime now) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  struct Made {
    std::time_t at = 0;
    std::string line;
  };
  static thread_local Made made;
  const std::time_t at =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  if (made.at != at) {
    std::tm t{};
    ::gmtime_r(&at, &t);
    made = {at, fmt::format("Date: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n", days[t.tm_wday],
                            t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min,
                            t.tm_sec)};
  }
  out += made.line;
}

}  // namespace

std::string write_head(const HttpResponse& response, const ResponseShape& shape) {
  static constexpr std::array<std::string_view, 4> ours = {"Connection", "Content-Length", "Date",
                                                           "Transfer-Encoding"};
  std::string out;
  out.reserve(256);
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", response.status,
                 http_reason_phrase(response.status));
  append_fields_but(out, response.headers, ours);
  append_date(out, shape.now);
  if (shape.framing == BodyFraming::ContentLength) {
    std::size_t bytes = 0;
    for (const Bytes& piece : response.body) bytes += piece->size();
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", bytes);
  } else if (shape.framing == BodyFraming::Chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  }
  if (response.status == 101) {
    out += "Connection: Upgrade\r\n";
  } else if (!shape.keep_alive) {
    out += "Connection: close\r\n";
  }
  out += "\r\n";
  return out;
}

std::string write_request(const HttpRequest& request, std::string_view host) {
  static constexpr std::array<std::string_view, 3> ours = {"Content-Length", "Host",
                                                           "Transfer-Encoding"};
  std::string out;
  out.reserve(256 + request.body.size());
  append_text(out, request.method);
  out += ' ';
  append_text(out, request.target);
  out += " HTTP/1.1\r\n";
  append_field(out, "Host", host);
  append_fields_but(out, request.headers, ours);
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
      request.method == "PATCH") {
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", request.body.size());
  }
  out += "\r\n";
  out += request.body;
  return out;
}

std::string chunk_size_line(std::size_t bytes) {
  return fmt::format("{:x}\r\n", bytes);
}

}  // namespace keelson
