// The words for steps, and Go's for what exec says.
#include "isolation/step_words.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace keelson::isolation {
namespace {

std::string detail_of(const wire::Reply& reply) {
  return {reply.detail, strnlen(reply.detail, sizeof reply.detail)};
}

// os/exec.LookPath's errors.
std::unexpected<Error> lookup_error(int error_number, const std::string& name) {
  if (!name.contains('/')) {
    return fail(Reason::NotFound, "exec: \"{}\": executable file not found in $PATH", name);
  }
  if (error_number == ENOENT) {
    return fail(Reason::NotFound, "exec: \"{}\": stat {}: no such file or directory", name, name);
  }
  if (error_number == EISDIR) return fail(Reason::Invalid, "exec: \"{}\": is a directory", name);
  return fail(reason_of_errno(error_number), "exec: \"{}\": {}", name,
              error_number == EACCES ? "permission denied" : errno_text(error_number));
}

std::unexpected<Error> execute_error(int error_number, const std::string& path) {
  switch (error_number) {
    case ENOENT:  // the file is there: it is what is to run it that is not
      return fail(Reason::NotFound, "exec {}: no such file or directory", path);
    case EACCES:
      return fail(Reason::Forbidden, "exec {}: permission denied", path);
    case ENOEXEC:
      return fail(Reason::Invalid, "exec {}: exec format error", path);
    default:
      return fail_errno(error_number, "exec {}", path);
  }
}

}  // namespace

const char* wire::step_name(Step step) {
  static constexpr const char* names[] = {"start",
                                          "take",
                                          "clone",
                                          "start a session",
                                          "join cgroup",
                                          "join namespaces",
                                          "mount the root",
                                          "mount",
                                          "make /dev",
                                          "make a terminal",
                                          "mount",
                                          "mount cgroup",
                                          "mount",
                                          "mask",
                                          "make read-only",
                                          "change root",
                                          "enter working directory",
                                          "set limit",
                                          "wait for the spawner",
                                          "load the filter",
                                          "drop privileges",
                                          "exec",
                                          "exec"};
  static_assert(std::size(names) == static_cast<std::size_t>(Step::End));
  return step < Step::End ? names[static_cast<int>(step)] : "start";
}

std::unexpected<Error> start_error(const wire::Reply& reply) {
  const std::string detail = detail_of(reply);
  if (reply.step == wire::Step::Lookup) return lookup_error(reply.error_number, detail);
  if (reply.step == wire::Step::Execute) return execute_error(reply.error_number, detail);
  if (reply.step == wire::Step::Take) return fail_errno(reply.error_number, "{}", detail);
  return fail_errno(reply.error_number, "{}{}{}", wire::step_name(reply.step),
                    detail.empty() ? "" : " ", detail);
}

}  // namespace keelson::isolation
