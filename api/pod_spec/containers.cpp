// Containers of all three sorts: what they share, and what each may not have.
#include <algorithm>

#include "api/pod_spec/parts.h"

namespace keelson::pod_spec {
namespace {

void check_container_port(Checker& checker, const FieldPath& path, const core::ContainerPort& port,
                          std::set<std::string_view>& names) {
  if (!port.name().empty()) {
    const auto texts = check_port_name(port.name());
    for (const auto& text : texts) checker.errors.invalid(path / "name", port.name(), text);
    if (texts.empty() && !names.insert(port.name()).second) {
      checker.errors.duplicate(path / "name", port.name());
    }
  }
  if (port.containerport() == 0) {
    checker.errors.required(path / "containerPort");
  } else {
    check_number(path / "containerPort", port.containerport(), check_port_number, checker.errors);
  }
  if (port.hostport() != 0) {
    check_number(path / "hostPort", port.hostport(), check_port_number, checker.errors);
  }
  check_protocol(path / "protocol", port.protocol(), checker.errors);
}

// Of containers that run at the same time.
void check_host_ports(Checker& checker, const FieldPath& path, const core::Container& container,
                      std::set<std::string>& taken) {
  each(path / "ports", container.ports(),
       [&](const FieldPath& at, const core::ContainerPort& port) {
         if (port.hostport() == 0) return;
         std::string key = fmt::format("{}/{}/{}", port.protocol(), port.hostip(), port.hostport());
         if (taken.contains(key)) checker.errors.duplicate(at / "hostPort", key);
         taken.insert(std::move(key));
       });
}

void check_resize_policy(Checker& checker, const FieldPath& path,
                         const core::Container& container) {
  std::set<std::string_view> resources;
  each(path, container.resizepolicy(),
       [&](const FieldPath& at, const core::ContainerResizePolicy& policy) {
         if (!resources.insert(policy.resourcename()).second) {
           checker.errors.duplicate(at, policy.resourcename());
         }
         // Upstream's paths of these do not say which policy.
         check_choice(path, policy.resourcename(), {"cpu", "memory"}, checker.errors);
         check_choice(path, policy.restartpolicy(), {"NotRequired", "RestartContainer"},
                      checker.errors);
         if (checker.spec.restartpolicy() == "Never" && policy.restartpolicy() != "NotRequired") {
           checker.errors.invalid(path, policy.restartpolicy(),
                                  "must be 'NotRequired' when `restartPolicy` is 'Never'");
         }
       });
}

bool is_padded(std::string_view image) {
  constexpr std::string_view blanks = " \t\n\v\f\r";
  return !image.empty() && (blanks.contains(image.front()) || blanks.contains(image.back()));
}

void check_common(Checker& checker, const FieldPath& path, const core::Container& container) {
  if (container.name().empty()) {
    checker.errors.required(path / "name");
  } else {
    check_value(path / "name", container.name(), check_dns_label, checker.errors);
  }
  if (container.image().empty()) checker.errors.required(path / "image");
  if (checker.of == SpecOf::Pod && is_padded(container.image())) {
    checker.errors.invalid(path / "image", container.image(),
                           "must not have leading or trailing whitespace");
  }
  check_choice(path / "terminationMessagePolicy", container.terminationmessagepolicy(),
               {"File", "FallbackToLogsOnError"}, checker.errors);
  std::set<std::string_view> port_names;
  each(path / "ports", container.ports(),
       [&](const FieldPath& at, const core::ContainerPort& port) {
         check_container_port(checker, at, port, port_names);
       });
  check_environment(checker, path, container);
  check_volume_mounts(checker, path, container);
  check_choice(path / "imagePullPolicy", container.imagepullpolicy(),
               {"Always", "IfNotPresent", "Never"}, checker.errors);
  check_resources(checker, path / "resources", container.resources());
  check_resize_policy(checker, path / "resizePolicy", container);
  if (container.has_securitycontext()) {
    check_security_context(checker, path / "securityContext", container.securitycontext());
  }
}

void check_containers(Checker& checker, const FieldPath& path) {
  if (checker.spec.containers().empty()) return checker.errors.required(path);
  std::set<std::string_view> names;
  std::set<std::string> host_ports;
  each(path, checker.spec.containers(), [&](const FieldPath& at, const core::Container& container) {
    check_common(checker, at, container);
    if (!names.insert(container.name()).second) {
      checker.errors.duplicate(at / "name", container.name());
    }
    if (container.has_lifecycle()) {
      check_lifecycle(checker, at / "lifecycle", container.lifecycle());
    }
    check_probes(checker, at, container);
    if (container.has_restartpolicy()) {
      checker.errors.forbidden(at / "restartPolicy", "may not be set for non-init containers");
    }
    check_host_ports(checker, at, container, host_ports);
  });
}

// What only containers that run for good may have.
void check_runs_to_its_end(Checker& checker, const FieldPath& path,
                           const core::Container& container) {
  const std::pair<const char*, bool> fields[] = {{"lifecycle", container.has_lifecycle()},
                                                 {"livenessProbe", container.has_livenessprobe()},
                                                 {"readinessProbe", container.has_readinessprobe()},
                                                 {"startupProbe", container.has_startupprobe()}};
  for (const auto& [name, is_set] : fields) {
    if (!is_set) continue;
    checker.errors.forbidden(path / name,
                             "may not be set for init containers without restartPolicy=Always");
  }
}

std::set<std::string_view> names_of(const List<core::Container>& containers) {
  std::set<std::string_view> names;
  for (const auto& container : containers) names.insert(container.name());
  return names;
}

void check_init_containers(Checker& checker, const FieldPath& path) {
  auto names = names_of(checker.spec.containers());
  each(path, checker.spec.initcontainers(),
       [&](const FieldPath& at, const core::Container& container) {
         check_common(checker, at, container);
         if (container.has_restartpolicy() && !is_restartable(container)) {
           checker.errors.not_supported(at / "restartPolicy", container.restartpolicy(),
                                        {"Always"});
         }
         if (!container.name().empty() && !names.insert(container.name()).second) {
           checker.errors.duplicate(at / "name", container.name());
         }
         std::set<std::string> host_ports;  // they run one by one
         check_host_ports(checker, at, container, host_ports);
         if (is_restartable(container)) {
           if (container.has_lifecycle()) {
             check_lifecycle(checker, at / "lifecycle", container.lifecycle());
           }
           check_probes(checker, at, container);
         } else {
           check_runs_to_its_end(checker, at, container);
         }
       });
}

// An ephemeral container's fields are a container's, by name and number.
core::Container as_container(const core::EphemeralContainerCommon& common) {
  core::Container container;
  container.ParseFromString(common.SerializeAsString());
  return container;
}

void check_ephemeral_only(Checker& checker, const FieldPath& path,
                          const core::EphemeralContainerCommon& common) {
  const std::pair<const char*, bool> fields[] = {{"ports", !common.ports().empty()},
                                                 {"resources", common.has_resources()},
                                                 {"resizePolicy", !common.resizepolicy().empty()},
                                                 {"restartPolicy", common.has_restartpolicy()},
                                                 {"livenessProbe", common.has_livenessprobe()},
                                                 {"readinessProbe", common.has_readinessprobe()},
                                                 {"startupProbe", common.has_startupprobe()},
                                                 {"lifecycle", common.has_lifecycle()}};
  constexpr std::string_view why = "cannot be set for an Ephemeral Container";
  for (const auto& [name, is_set] : fields) {
    if (is_set) checker.errors.forbidden(path / name, why);
  }
  each(path / "volumeMounts", common.volumemounts(),
       [&](const FieldPath& at, const core::VolumeMount& mount) {
         if (!mount.subpath().empty()) checker.errors.forbidden(at / "subPath", why);
         if (!mount.subpathexpr().empty()) checker.errors.forbidden(at / "subPathExpr", why);
       });
}

void check_ephemeral_containers(Checker& checker, const FieldPath& path) {
  if (checker.spec.ephemeralcontainers().empty()) return;
  auto names = names_of(checker.spec.containers());
  names.merge(names_of(checker.spec.initcontainers()));
  const auto targets = names;
  each(path, checker.spec.ephemeralcontainers(),
       [&](const FieldPath& at, const core::EphemeralContainer& container) {
         const auto& common = container.ephemeralcontainercommon();
         check_common(checker, at, as_container(common));
         if (!names.insert(common.name()).second)
           checker.errors.duplicate(at / "name", common.name());
         const std::string& target = container.targetcontainername();
         if (!target.empty() && !targets.contains(target)) {
           checker.errors.not_found(at / "targetContainerName", target);
         }
         check_ephemeral_only(checker, at, common);
       });
}

}  // namespace

void check_all_containers(Checker& checker, const FieldPath& path) {
  check_containers(checker, path / "containers");
  check_init_containers(checker, path / "initContainers");
  check_ephemeral_containers(checker, path / "ephemeralContainers");
}

}  // namespace keelson::pod_spec
