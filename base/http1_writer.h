// Heads and chunks as HTTP/1.1 writes them.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/http.h"

namespace keelson {

enum class BodyFraming { ContentLength, Chunked, UntilClose, None };

struct ResponseShape {
  BodyFraming framing = BodyFraming::ContentLength;
  bool keep_alive = true;
  WallTime now{};  // for Date
};
// Framing, connection and date are set here; what the response says about them is left out. No
// value can end its line.
std::string write_head(const HttpResponse& response, const ResponseShape& shape);
// A request with its body, which is always of known length.
std::string write_request(const HttpRequest& request, std::string_view host);
std::string chunk_size_line(std::size_t bytes);  // "1f4\r\n"
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace keelson
