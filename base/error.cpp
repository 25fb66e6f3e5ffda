// The table of reasons: their words and HTTP codes, and errno's place among them.
#include "base/error.h"

#include <cerrno>
#include <system_error>

namespace keelson {
namespace {

struct ReasonRow {
  Reason reason;
  std::string_view text;
  int http_status;
};

// Unknown is written as no reason at all, as upstream does for errors that have none.
constexpr ReasonRow reason_rows[] = {
    {Reason::Unknown, "", 500},
    {Reason::BadRequest, "BadRequest", 400},
    {Reason::Unauthorized, "Unauthorized", 401},
    {Reason::Forbidden, "Forbidden", 403},
    {Reason::NotFound, "NotFound", 404},
    {Reason::MethodNotAllowed, "MethodNotAllowed", 405},
    {Reason::NotAcceptable, "NotAcceptable", 406},
    {Reason::AlreadyExists, "AlreadyExists", 409},
    {Reason::Conflict, "Conflict", 409},
    {Reason::Expired, "Expired", 410},
    {Reason::RequestEntityTooLarge, "RequestEntityTooLarge", 413},
    {Reason::UnsupportedMediaType, "UnsupportedMediaType", 415},
    {Reason::Invalid, "Invalid", 422},
    {Reason::TooManyRequests, "TooManyRequests", 429},
    {Reason::InternalError, "InternalError", 500},
    {Reason::ServerTimeout, "ServerTimeout", 500},
    {Reason::ServiceUnavailable, "ServiceUnavailable", 503},
    {Reason::Timeout, "Timeout", 504},
};

const ReasonRow& row_of(Reason reason) {
  return reason_rows[static_cast<int>(reason)];
}

}  // namespace

std::string_view to_string(Reason reason) {
  return row_of(reason).text;
}

int http_status_of(Reason reason) {
  return row_of(reason).http_status;
}

Reason reason_of_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ESRCH:
    case ENODEV:
      return Reason::NotFound;
    case EEXIST:
      return Reason::AlreadyExists;
    case EACCES:
    case EPERM:
      return Reason::Forbidden;
    case EINVAL:
      return Reason::Invalid;
    case ETIMEDOUT:
      return Reason::Timeout;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ECONNRESET:
    case EPIPE:
      return Reason::ServiceUnavailable;
    default:
      return Reason::InternalError;
  }
}

std::string errno_text(int error_number) {
  return std::generic_category().message(error_number);
}

std::unexpected<Error> Error::prefixed(std::string doing) const {
  return std::unexpected(Error{reason, std::move(doing) + ": " + message, details});
}

}  // namespace keelson
