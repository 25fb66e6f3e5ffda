// Reason, message and details of a Status are those of an Error.
#include "api/status.h"

#include "api/json.h"
#include "api/proto/meta/v1/status.pb.h"
#include "api/protobuf.h"

namespace keelson {
namespace {

constexpr std::size_t quoted_bytes = 200;  // of a body that is no Status

Reason reason_of_code(int code) {
  switch (code) {
    case 400:
      return Reason::BadRequest;
    case 401:
      return Reason::Unauthorized;
    case 403:
      return Reason::Forbidden;
    case 404:
      return Reason::NotFound;
    case 405:
      return Reason::MethodNotAllowed;
    case 406:
      return Reason::NotAcceptable;
    case 409:
      return Reason::Conflict;
    case 410:
      return Reason::Expired;
    case 413:
      return Reason::RequestEntityTooLarge;
    case 415:
      return Reason::UnsupportedMediaType;
    case 422:
      return Reason::Invalid;
    case 429:
      return Reason::TooManyRequests;
    case 408:
    case 504:
      return Reason::Timeout;
    case 502:
    case 503:
      return Reason::ServiceUnavailable;
    default:
      return code >= 500 ? Reason::InternalError : Reason::Unknown;
  }
}

// By name; what is said without one, or by one that we do not know ("Gone"), by its code.
Reason reason_of(const meta::Status& status) {
  for (int i = 0; i <= static_cast<int>(Reason::Timeout); ++i) {
    const auto reason = static_cast<Reason>(i);
    if (!status.reason().empty() && to_string(reason) == status.reason()) return reason;
  }
  return reason_of_code(status.code());
}

bool parse_status(std::string_view body, meta::Status& status) {
  if (is_envelope(body)) {
    auto envelope = from_envelope(body);
    return envelope && envelope->kind == "Status" &&
           message_from_protobuf(envelope->raw, status).has_value();
  }
  auto document = parse_json(body);
  if (!document || !document->tree.is_object()) return false;
  const json::object& tree = document->tree.get_object();
  const json::value* kind = tree.if_contains("kind");
  if (kind == nullptr || !kind->is_string() || kind->get_string() != "Status") return false;
  std::vector<std::string> unknown;
  return message_from_json(tree, status, unknown).has_value();
}

}  // namespace

void to_status(const Error& error, meta::Status& status) {
  status.set_status("Failure");
  status.set_message(error.message);
  status.set_reason(std::string(to_string(error.reason)));
  status.set_code(http_status_of(error.reason));
  if (error.details == nullptr) return;
  meta::StatusDetails& details = *status.mutable_details();
  details.set_name(error.details->name);
  details.set_group(error.details->group);
  details.set_kind(error.details->kind);
  details.set_uid(error.details->uid);
  details.set_retryafterseconds(error.details->retry_after_seconds);
  for (const Cause& cause : error.details->causes) {
    meta::StatusCause& added = *details.add_causes();
    added.set_reason(cause.reason);
    added.set_message(cause.message);
    added.set_field(cause.field);
  }
}

Error from_status(const meta::Status& status) {
  Error error{reason_of(status), status.message()};
  if (error.message.empty()) error.message = fmt::format("status {}", status.code());
  if (!status.has_details()) return error;
  const meta::StatusDetails& said = status.details();
  auto details = std::make_shared<ErrorDetails>();
  details->group = said.group();
  details->kind = said.kind();
  details->name = said.name();
  details->uid = said.uid();
  details->retry_after_seconds = said.retryafterseconds();
  for (const meta::StatusCause& cause : said.causes()) {
    details->causes.push_back(
        {.reason = cause.reason(), .message = cause.message(), .field = cause.field()});
  }
  error.details = std::move(details);
  return error;
}

Error error_of_answer(int http_status, std::string_view body) {
  meta::Status status;
  if (parse_status(body, status)) return from_status(status);
  return {reason_of_code(http_status),
          fmt::format("the server answered {}: {:?}", http_status, body.substr(0, quoted_bytes))};
}

}  // namespace keelson
