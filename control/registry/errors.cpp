// The texts and details of refusals.
#include "control/registry/errors.h"

namespace keelson {
namespace {

ErrorDetails details_of(const Kind& kind, std::string_view name) {
  return {.group = std::string(kind.group),
          .kind = std::string(kind.plural),
          .name = std::string(name)};
}

Failure failure(Reason reason, std::string message, ErrorDetails details) {
  return Failure(
      Error{reason, std::move(message), std::make_shared<const ErrorDetails>(std::move(details))});
}

}  // namespace

Failure not_found(const Kind& kind, std::string_view name) {
  return failure(Reason::NotFound,
                 fmt::format("{} \"{}\" not found", kind.qualified_resource(), name),
                 details_of(kind, name));
}

Failure already_exists(const Kind& kind, std::string_view name) {
  return failure(Reason::AlreadyExists,
                 fmt::format("{} \"{}\" already exists", kind.qualified_resource(), name),
                 details_of(kind, name));
}

Failure conflict(const Kind& kind, std::string_view name, std::string_view why) {
  return failure(Reason::Conflict,
                 fmt::format("Operation cannot be fulfilled on {} \"{}\": {}",
                             kind.qualified_resource(), name, why),
                 details_of(kind, name));
}

Failure modified(const Kind& kind, std::string_view name) {
  return conflict(kind, name,
                  "the object has been modified; please apply your changes to the latest version "
                  "and try again");
}

Failure forbidden(const Kind& kind, std::string_view name, std::string_view why,
                  std::vector<Cause> causes) {
  ErrorDetails details = details_of(kind, name);
  details.causes = std::move(causes);
  return failure(Reason::Forbidden,
                 fmt::format("{} \"{}\" is forbidden: {}", kind.qualified_resource(), name, why),
                 std::move(details));
}

Failure not_supported(const Kind& kind, std::string_view subresource, std::string_view verb) {
  std::string resource(kind.plural);
  if (!subresource.empty()) resource += "/" + std::string(subresource);
  const std::string qualified =
      kind.group.empty() ? resource : fmt::format("{}.{}", resource, kind.group);
  return failure(Reason::MethodNotAllowed,
                 fmt::format("{} is not supported on resources of kind \"{}\"", verb, qualified),
                 {.group = std::string(kind.group), .kind = resource});
}

Failure too_large_revision(Revision wanted, Revision current) {
  return failure(
      Reason::Timeout,
      fmt::format("Timeout: Too large resource version: {}, current: {}", wanted, current),
      {.causes = {{"ResourceVersionTooLarge", "Too large resource version", ""}},
       .retry_after_seconds = 1});
}

Failure internal_error(std::string_view why) {
  return failure(Reason::InternalError, fmt::format("Internal error occurred: {}", why),
                 {.causes = {{"", std::string(why), ""}}});
}

}  // namespace keelson
