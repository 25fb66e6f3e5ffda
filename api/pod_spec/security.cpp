// Security contexts of containers and of the pod.
#include <algorithm>

#include "api/json.h"
#include "api/pod_spec/parts.h"

namespace keelson::pod_spec {
namespace {

constexpr std::size_t profile_path_max = 4095;  // PATH_MAX without its NUL
constexpr std::size_t sysctl_max = 253;

void check_seccomp(Checker& checker, const FieldPath& path, const core::SeccompProfile& profile) {
  const std::string& type = profile.type();
  if (type.empty()) {
    checker.errors.required(path / "type", "type is required when seccompProfile is set");
  } else if (type != "Localhost" && type != "RuntimeDefault" && type != "Unconfined") {
    checker.errors.not_supported(path / "type", type,
                                 {"Localhost", "RuntimeDefault", "Unconfined"});
  }
  const FieldPath file = path / "localhostProfile";
  if (type != "Localhost") {
    if (profile.has_localhostprofile()) {
      checker.errors.invalid_raw(file, message_to_json_text(profile),
                                 "can only be set when seccomp type is Localhost");
    }
  } else if (!profile.has_localhostprofile()) {
    checker.errors.required(file, "must be set when seccomp type is Localhost");
  } else {
    check_relative(file, profile.localhostprofile(), checker.errors);
  }
}

void check_local_app_armor(Checker& checker, const FieldPath& file,
                           const core::AppArmorProfile& profile) {
  const std::string& name = profile.localhostprofile();
  const bool is_padded = !name.empty() && (name.front() == ' ' || name.back() == ' ');
  if (is_padded) {
    checker.errors.invalid(file, name, "must not be padded with whitespace");
  } else if (name.empty()) {
    checker.errors.required(file, "must be set when AppArmor type is Localhost");
  }
  if (name.size() > profile_path_max) checker.errors.too_long(file, profile_path_max);
}

void check_app_armor(Checker& checker, const FieldPath& path,
                     const core::AppArmorProfile& profile) {
  const std::string& type = profile.type();
  const FieldPath file = path / "localhostProfile";
  if (type == "Localhost") return check_local_app_armor(checker, file, profile);
  if (type == "RuntimeDefault" || type == "Unconfined") {
    if (!profile.has_localhostprofile()) return;
    return checker.errors.invalid(file, profile.localhostprofile(),
                                  "can only be set when AppArmor type is Localhost");
  }
  if (type.empty()) {
    return checker.errors.required(path / "type", "type is required when appArmorProfile is set");
  }
  checker.errors.not_supported(path / "type", type, {"Localhost", "RuntimeDefault", "Unconfined"});
}

void check_id(Checker& checker, const FieldPath& path, bool is_set, std::int64_t id) {
  if (is_set) check_number(path, id, check_user_or_group_id, checker.errors);
}

void check_proc_mount(Checker& checker, const FieldPath& path, const std::string& mount) {
  if (mount != "Default" && mount != "Unmasked") {
    checker.errors.not_supported(path, mount, {"Default", "Unmasked"});
  }
  const bool host_users = !checker.spec.has_hostusers() || checker.spec.hostusers();
  if (host_users && mount == "Unmasked") {
    checker.errors.invalid(path, mount, "`hostUsers` must be false to use `Unmasked`");
  }
}

void check_escalation(Checker& checker, const FieldPath& path,
                      const core::SecurityContext& context) {
  if (!context.has_allowprivilegeescalation() || context.allowprivilegeescalation()) return;
  if (context.privileged()) {
    checker.errors.invalid_raw(
        path, message_to_json_text(context),
        "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  }
  for (const auto& capability : context.capabilities().add()) {
    if (capability != "CAP_SYS_ADMIN") continue;
    checker.errors.invalid_raw(
        path, message_to_json_text(context),
        "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
  }
}

// Segments of lower case letters, digits, '-' and '_', between dots or slashes.
bool is_sysctl_name(std::string_view name) {
  if (name.empty() || name.size() > sysctl_max) return false;
  const auto is_outer = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  bool at_start = true;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool at_end = i + 1 == name.size() || name[i + 1] == '.' || name[i + 1] == '/';
    if (c == '.' || c == '/') {
      if (at_start) return false;
      at_start = true;
      continue;
    }
    if (!is_outer(c) && (at_start || at_end || (c != '-' && c != '_'))) return false;
    at_start = false;
  }
  return !at_start;
}

bool is_of_network(std::string_view sysctl) {
  return sysctl.starts_with("net.") || sysctl.starts_with("net/");
}

bool is_of_ipc(std::string_view sysctl) {
  for (const char* prefix :
       {"kernel.shm", "kernel/shm", "kernel.msg", "kernel/msg", "fs.mqueue.", "fs/mqueue/"}) {
    if (sysctl.starts_with(prefix)) return true;
  }
  return sysctl == "kernel.sem" || sysctl == "kernel/sem";
}

void check_sysctls(Checker& checker, const FieldPath& path, const List<core::Sysctl>& sysctls) {
  std::set<std::string_view> names;
  each(path, sysctls, [&](const FieldPath& item, const core::Sysctl& sysctl) {
    const FieldPath at = item / "name";
    const std::string& name = sysctl.name();
    if (name.empty()) {
      checker.errors.required(at);
    } else if (!is_sysctl_name(name)) {
      checker.errors.invalid(
          at, name,
          "must have at most 253 characters and match regex "
          "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
    } else if (names.contains(name)) {
      checker.errors.duplicate(at, name);
    }
    names.insert(name);
    if (checker.spec.hostnetwork() && is_of_network(name)) {
      checker.errors.invalid(at, name, "may not be specified when 'hostNetwork' is true");
    } else if (checker.spec.hostipc() && is_of_ipc(name)) {
      checker.errors.invalid(at, name, "may not be specified when 'hostIPC' is true");
    }
  });
}

void check_optional_choice(Checker& checker, const FieldPath& path, bool is_set,
                           const std::string& value,
                           const std::vector<std::string_view>& supported) {
  if (!is_set || std::ranges::find(supported, value) != supported.end()) return;
  checker.errors.not_supported(path, value, supported);
}

// The annotation that was the field once: if it is there it says the same.
void check_seccomp_annotation(Checker& checker, const FieldPath& path,
                              const std::string& annotation, const core::SeccompProfile& profile) {
  constexpr std::string_view type_differs = "seccomp type in annotation and field must match";
  const std::string& type = profile.type();
  if (type == "Unconfined" && annotation != "unconfined") {
    checker.errors.forbidden(path / "type", type_differs);
  }
  if (type == "RuntimeDefault" && annotation != "runtime/default" &&
      annotation != "docker/default") {
    checker.errors.forbidden(path / "type", type_differs);
  }
  if (type != "Localhost") return;
  constexpr std::string_view prefix = "localhost/";
  if (!annotation.starts_with(prefix)) {
    checker.errors.forbidden(path / "type", type_differs);
  } else if (annotation.substr(prefix.size()) != profile.localhostprofile()) {
    checker.errors.forbidden(path / "localhostProfile",
                             "seccomp profile in annotation and field must match");
  }
}

}  // namespace

void check_security_context(Checker& checker, const FieldPath& path,
                            const core::SecurityContext& context) {
  check_id(checker, path / "runAsUser", context.has_runasuser(), context.runasuser());
  check_id(checker, path / "runAsGroup", context.has_runasgroup(), context.runasgroup());
  if (context.has_procmount()) {
    check_proc_mount(checker, path / "procMount", context.procmount());
  }
  if (context.has_seccompprofile()) {
    check_seccomp(checker, path / "seccompProfile", context.seccompprofile());
  }
  check_escalation(checker, path, context);
  if (context.has_apparmorprofile()) {
    check_app_armor(checker, path / "appArmorProfile", context.apparmorprofile());
  }
}

void check_pod_security_context(Checker& checker, const FieldPath& path) {
  const core::PodSecurityContext& context = checker.spec.securitycontext();
  check_id(checker, path / "fsGroup", context.has_fsgroup(), context.fsgroup());
  check_id(checker, path / "runAsUser", context.has_runasuser(), context.runasuser());
  check_id(checker, path / "runAsGroup", context.has_runasgroup(), context.runasgroup());
  for (int i = 0; i < context.supplementalgroups_size(); ++i) {
    check_id(checker, (path / "supplementalGroups")[static_cast<std::size_t>(i)], true,
             context.supplementalgroups(i));
  }
  if (checker.spec.shareprocessnamespace() && checker.spec.hostpid()) {
    checker.errors.invalid_raw(path / "shareProcessNamespace", "true",
                               "ShareProcessNamespace and HostPID cannot both be enabled");
  }
  check_sysctls(checker, path / "sysctls", context.sysctls());
  check_optional_choice(checker, path / "fsGroupChangePolicy", context.has_fsgroupchangepolicy(),
                        context.fsgroupchangepolicy(), {"Always", "OnRootMismatch"});
  if (context.has_seccompprofile()) {
    check_seccomp(checker, path / "seccompProfile", context.seccompprofile());
  }
  if (context.has_apparmorprofile()) {
    check_app_armor(checker, path / "appArmorProfile", context.apparmorprofile());
  }
  check_optional_choice(checker, path / "supplementalGroupsPolicy",
                        context.has_supplementalgroupspolicy(), context.supplementalgroupspolicy(),
                        {"Merge", "Strict"});
  check_optional_choice(checker, path / "seLinuxChangePolicy", context.has_selinuxchangepolicy(),
                        context.selinuxchangepolicy(), {"MountOption", "Recursive"});
}

void check_seccomp_annotations(Checker& checker, const FieldPath& path,
                               const StringMap& annotations) {
  const auto check = [&](const FieldPath& owner, const std::string& key, bool is_set,
                         const core::SeccompProfile& profile) {
    const auto found = annotations.find(key);
    if (!is_set || found == annotations.end()) return;
    check_seccomp_annotation(checker, owner / "securityContext" / "seccompProfile", found->second,
                             profile);
  };
  const core::PodSecurityContext& pod = checker.spec.securitycontext();
  check(path, "seccomp.security.alpha.kubernetes.io/pod", pod.has_seccompprofile(),
        pod.seccompprofile());
  const auto check_list = [&](const char* name, const List<core::Container>& containers) {
    each(path / name, containers, [&](const FieldPath& at, const core::Container& container) {
      check(at, "container.seccomp.security.alpha.kubernetes.io/" + container.name(),
            container.securitycontext().has_seccompprofile(),
            container.securitycontext().seccompprofile());
    });
  };
  check_list("initContainers", checker.spec.initcontainers());
  check_list("containers", checker.spec.containers());
}

}  // namespace keelson::pod_spec
