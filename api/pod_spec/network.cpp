// How a pod is seen and what it sees of the network: host network, DNS, names.
#include <algorithm>

#include "api/go_syntax.h"
#include "api/pod_spec/parts.h"

namespace keelson::pod_spec {
namespace {

// Limits of libc's resolver. Source: k8s.io/kubernetes pkg/apis/core/validation.
constexpr int name_servers_max = 3;
constexpr int search_paths_max = 32;
constexpr std::size_t search_list_characters_max = 2048;

void check_host_network_ports(Checker& checker, const FieldPath& path) {
  if (!checker.spec.hostnetwork()) return;
  each(path, checker.spec.containers(), [&](const FieldPath& at, const core::Container& container) {
    each(at / "ports", container.ports(),
         [&](const FieldPath& port_at, const core::ContainerPort& port) {
           // A template's are filled in when its pod is made.
           if (port.hostport() == port.containerport()) return;
           if (checker.of == SpecOf::Template && port.hostport() == 0) return;
           checker.errors.invalid_number(port_at / "hostPort", port.hostport(),
                                         "must match `containerPort` when `hostNetwork` is true");
         });
  });
}

void check_searches(Checker& checker, const FieldPath& path, const List<std::string>& searches) {
  if (searches.size() > search_paths_max) {
    checker.errors.invalid_raw(
        path, go_syntax(searches),
        fmt::format("must not have more than {} search paths", search_paths_max));
  }
  std::size_t characters = searches.empty() ? 0 : static_cast<std::size_t>(searches.size()) - 1;
  for (const auto& search : searches) characters += search.size();
  if (characters > search_list_characters_max) {
    checker.errors.invalid_raw(
        path, go_syntax(searches),
        fmt::format("must not have more than {} characters (including spaces) in the search list",
                    search_list_characters_max));
  }
  each(path, searches, [&](const FieldPath& at, const std::string& search) {
    std::string_view name = search;
    if (name.ends_with('.')) name.remove_suffix(1);
    check_value(at, name, check_dns_subdomain, checker.errors);
  });
}

void check_dns(Checker& checker, const FieldPath& path) {
  const core::PodSpec& spec = checker.spec;
  const core::PodDNSConfig& config = spec.dnsconfig();
  if (spec.dnspolicy() == "None") {
    if (!spec.has_dnsconfig()) {
      return checker.errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
    }
    if (config.nameservers().empty()) {
      return checker.errors.required(
          path / "nameservers",
          "must provide at least one DNS nameserver when `dnsPolicy` is None");
    }
  }
  if (config.nameservers_size() > name_servers_max) {
    checker.errors.invalid_raw(
        path / "nameservers", go_syntax(config.nameservers()),
        fmt::format("must not have more than {} nameservers", name_servers_max));
  }
  each(path / "nameservers", config.nameservers(),
       [&](const FieldPath& at, const std::string& server) {
         check_value(at, server, check_ip, checker.errors);
       });
  check_searches(checker, path / "searches", config.searches());
  each(path / "options", config.options(),
       [&](const FieldPath& at, const core::PodDNSConfigOption& option) {
         if (option.name().empty()) checker.errors.required(at, "must not be empty");
       });
}

void check_host_aliases(Checker& checker, const FieldPath& path) {
  each(path, checker.spec.hostaliases(), [&](const FieldPath& at, const core::HostAlias& alias) {
    check_value(at / "ip", alias.ip(), check_ip, checker.errors);
    each(at / "hostnames", alias.hostnames(),
         [&](const FieldPath& name_at, const std::string& name) {
           check_value(name_at, name, check_dns_subdomain, checker.errors);
         });
  });
}

}  // namespace

void check_network(Checker& checker, const FieldPath& path) {
  const core::PodSpec& spec = checker.spec;
  check_host_network_ports(checker, path / "containers");
  if (!spec.hostname().empty()) {
    check_value(path / "hostname", spec.hostname(), check_dns_label, checker.errors);
  }
  if (!spec.subdomain().empty()) {
    check_value(path / "subdomain", spec.subdomain(), check_dns_label, checker.errors);
  }
  check_dns(checker, path / "dnsConfig");
  check_host_aliases(checker, path / "hostAliases");
}

}  // namespace keelson::pod_spec
