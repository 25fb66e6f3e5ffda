// What can go wrong, in one type: a reason for programs and a message for people.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace keelson {

// The reasons of a Kubernetes Status, word for word; errno values map onto them (see
// reason_of_errno). Source: k8s.io/apimachinery meta/v1 StatusReason.
enum class Reason {
  Unknown,
  BadRequest,
  Unauthorized,
  Forbidden,
  NotFound,
  MethodNotAllowed,
  NotAcceptable,
  AlreadyExists,
  Conflict,
  Expired,
  RequestEntityTooLarge,
  UnsupportedMediaType,
  Invalid,
  TooManyRequests,
  InternalError,
  ServerTimeout,
  ServiceUnavailable,
  Timeout,
};

std::string_view to_string(Reason reason);  // "NotFound"
int http_status_of(Reason reason);          // 404
Reason reason_of_errno(int error_number);

// One field that is wrong, or one cause of a refusal: an entry of Status.details.causes.
struct Cause {
  std::string reason;   // "FieldValueRequired", "FieldManagerConflict", …
  std::string message;  // "Required value"
  std::string field;    // "spec.containers[0].image"
};

// What the error is about: Status.details. Most errors have none.
struct ErrorDetails {
  std::string group;
  std::string
      kind;  // the plural resource ("pods"), but the Kind ("Pod") where the reason is Invalid
  std::string name;
  std::string uid;
  std::vector<Cause> causes;
  int retry_after_seconds = 0;
  std::string continue_token;  // Expired page of a list: how to go on, inconsistently
};

struct Error {
  Reason reason = Reason::Unknown;
  std::string message;
  std::shared_ptr<const ErrorDetails>
      details;  // may be null; shared, for errors are copied outwards

  // The same error with what we were doing put before it: "freeze pod a/b: open x: No such file".
  template <typename... Args>
  std::unexpected<Error> during(fmt::format_string<Args...> format, Args&&... args) const {
    return prefixed(fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  std::unexpected<Error> prefixed(std::string doing) const;
};

template <typename T = void>
using Result = std::expected<T, Error>;

template <typename... Args>
std::unexpected<Error> fail(Reason reason, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{reason, fmt::format(format, std::forward<Args>(args)...), nullptr});
}

// A system call that failed: the reason is errno's, the text ends in errno's own words.
template <typename... Args>
std::unexpected<Error> fail_errno(int error_number, fmt::format_string<Args...> format,
                                  Args&&... args);

std::string errno_text(int error_number);

template <typename... Args>
std::unexpected<Error> fail_errno(int error_number, fmt::format_string<Args...> format,
                                  Args&&... args) {
  return std::unexpected(Error{
      reason_of_errno(error_number),
      fmt::format(format, std::forward<Args>(args)...) + ": " + errno_text(error_number), nullptr});
}

}  // namespace keelson
