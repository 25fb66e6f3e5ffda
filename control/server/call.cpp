// Heads, log lines and refusals of answers.
#include "control/server/call.h"

#include <algorithm>

#include "api/json.h"
#include "api/proto/meta/v1/status.pb.h"
#include "api/protobuf.h"
#include "api/schema.h"
#include "api/status.h"
#include "base/log.h"

namespace keelson {
namespace {

constexpr Duration slow = 1s;                    // a request that takes longer is told of
constexpr std::size_t warning_bytes_max = 4096;  // of all warnings of an answer, as upstream

// Warning: 299 - "text"
void add_warnings(const std::vector<std::string>& warnings, HttpHeaders& headers) {
  std::size_t bytes = 0;
  std::vector<std::string> said;
  for (const std::string& warning : warnings) {
    if (std::ranges::find(said, warning) != said.end()) continue;
    said.push_back(warning);
    std::string text = "299 - \"";
    for (const char c : warning) {
      if (c == '"' || c == '\\') text += '\\';
      text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    text += '"';
    bytes += text.size();
    if (bytes > warning_bytes_max) return;
    headers.add("Warning", std::move(text));
  }
}

Reason reason_of_status(int status) {
  switch (status) {
    case 408:
      return Reason::Timeout;
    case 413:
    case 431:
      return Reason::RequestEntityTooLarge;
    case 503:
      return Reason::ServiceUnavailable;
    default:
      return status < 500 ? Reason::BadRequest : Reason::InternalError;
  }
}

}  // namespace

InFlight::Token InFlight::enter(int max) {
  if (count_->fetch_add(1) >= max) {
    count_->fetch_sub(1);
    return nullptr;
  }
  return Token(count_.get(), [count = count_](void*) { count->fetch_sub(1); });
}

Call::Call(std::unique_ptr<Exchange> exchange, std::uint64_t id, const Clock& clock)
    : exchange_(std::move(exchange)), id_(id), clock_(clock), began_(clock.now()) {}

// What every answer carries; and a line in the log, of what failed in us or took long.
void Call::complete(HttpResponse& response) {
  response.headers.set("Audit-Id", fmt::format("{:016x}", id_));
  if (!response.headers.contains("Cache-Control")) {
    response.headers.set("Cache-Control", "no-cache, private");
  }
  add_warnings(context.warnings, response.headers);
  const Duration took = clock_.now() - began_;
  const bool failed = response.status >= 500 && response.status != 503;
  if (!failed && took <= slow) return;
  log_warn(failed ? "request failed" : "request was slow",
           {{"id", fmt::format("{:016x}", id_)},
            {"user", identity.user},
            {"method", request().method},
            {"target", request().target},
            {"from", exchange_->remote_address()},
            {"status", response.status},
            {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(took).count()}});
}

void Call::respond(HttpResponse response) {
  complete(response);
  token.reset();
  exchange_->respond(std::move(response));
}

void Call::fail(const Error& error) {
  HttpResponse response = status_response(error, output);
  if (error.details && error.details->retry_after_seconds > 0) {
    response.headers.set("Retry-After", std::to_string(error.details->retry_after_seconds));
  }
  respond(std::move(response));
}

void Call::respond_text(int status, std::string text) {
  respond({.status = status,
           .headers = {{"Content-Type", "text/plain; charset=utf-8"},
                       {"X-Content-Type-Options", "nosniff"}},
           .body = {make_bytes(std::move(text))}});
}

void Call::respond_document(std::string_view type, Bytes document) {
  respond({.headers = {{"Content-Type", std::string(type)}}, .body = {std::move(document)}});
}

std::unique_ptr<ByteSink> Call::stream(HttpResponse head) {
  complete(head);
  token.reset();
  return exchange_->stream(std::move(head));
}

std::unique_ptr<ByteStream> Call::upgrade(HttpResponse head) {
  token.reset();
  return exchange_->upgrade(std::move(head));
}

HttpResponse status_response(const Error& error, const Output& output) {
  meta::Status status;
  to_status(error, status);
  const std::string bytes = canonical_bytes(status);
  std::string text;
  if (output.media == Media::Protobuf) {
    text = to_envelope("v1", "Status", bytes);
  } else {
    append_json(text, schema_of(status), bytes, "v1", "Status");
    text += '\n';
  }
  const Output form{.media = output.media};
  return {.status = http_status_of(error.reason),
          .headers = {{"Content-Type", std::string(content_type(form))}},
          .body = {make_bytes(std::move(text))}};
}

HttpResponse refusal(int status, std::string_view message) {
  HttpResponse response =
      status_response({reason_of_status(status), std::string(message), nullptr});
  response.status = status;
  return response;
}

}  // namespace keelson
