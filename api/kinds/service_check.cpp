// Checks of Services, declared in service_rules.h. Source: the rules of k8s.io/kubernetes
// pkg/apis/core/validation (1.32).
#include <algorithm>
#include <set>

#include "api/go_syntax.h"
#include "api/go_text.h"
#include "api/ip_address.h"
#include "api/kinds/service_rules.h"
#include "api/names.h"
#include "api/proto/core/v1/service.pb.h"

namespace keelson {
namespace {

using Choices = std::vector<std::string_view>;

struct Checker {
  const core::Service& service;
  FieldErrors& errors;
  const core::ServiceSpec& spec = service.spec();
  const FieldPath path = FieldPath("spec");

  bool is_headless() const { return spec.clusterips_size() == 1 && spec.clusterips(0) == "None"; }
  void check_type();
  void check_external_name();
  void check_ports();
  void check_one_port(const FieldPath& at, const core::ServicePort& port);
  void check_unique_ports();
  void check_affinity();
  void check_cluster_ips();
  void check_families();
  void check_external_ips();
  void check_load_balancer();
  void check_traffic_policies();
};

void Checker::check_type() {
  check_choice(path / "type", spec.type(),
               {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"}, errors);
  if (spec.type() == "ExternalName") return check_external_name();
  if (spec.ports().empty() && !is_headless()) errors.required(path / "ports");
  if (is_headless() && has_node_ports(spec)) {
    errors.invalid((path / "clusterIPs")[0], "None",
                   fmt::format("may not be set to 'None' for {} services", spec.type()));
  }
}

void Checker::check_external_name() {
  constexpr std::string_view why = "may not be set for ExternalName services";
  if (!spec.clusterips().empty()) errors.forbidden(path / "clusterIPs", why);
  if (!spec.ipfamilies().empty()) errors.forbidden(path / "ipFamilies", why);
  if (spec.has_ipfamilypolicy()) errors.forbidden(path / "ipFamilyPolicy", why);
  std::string_view name = spec.externalname();
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty()) return errors.required(path / "externalName");
  check_value(path / "externalName", name, check_dns_subdomain, errors);
}

void Checker::check_one_port(const FieldPath& at, const core::ServicePort& port) {
  check_number(at / "port", port.port(), check_port_number, errors);
  check_protocol(at / "protocol", port.protocol(), errors);
  check_port(at / "targetPort", port.targetport(), errors);
  if (port.has_appprotocol()) {
    check_value(at / "appProtocol", port.appprotocol(), check_qualified_name, errors);
  }
  if (spec.type() == "ClusterIP" && port.nodeport() != 0) {
    errors.forbidden(at / "nodePort", "may not be used when `type` is 'ClusterIP'");
  }
}

void Checker::check_ports() {
  std::set<std::string_view> names;
  std::size_t i = 0;
  for (const auto& port : spec.ports()) {
    const FieldPath at = (path / "ports")[i++];
    if (!port.name().empty()) {
      check_value(at / "name", port.name(), check_dns_label, errors);
      if (!names.insert(port.name()).second) errors.duplicate(at / "name", port.name());
    } else if (spec.ports_size() > 1) {
      errors.required(at / "name");
    }
    check_one_port(at, port);
  }
  check_unique_ports();
}

void Checker::check_unique_ports() {
  using Key = std::pair<std::string_view, std::int32_t>;
  std::set<Key> node_ports, ports;
  std::size_t i = 0;
  for (const auto& port : spec.ports()) {
    const FieldPath at = (path / "ports")[i++];
    if (port.nodeport() != 0 && !node_ports.insert({port.protocol(), port.nodeport()}).second) {
      errors.duplicate_raw(at / "nodePort", std::to_string(port.nodeport()));
    }
    if (ports.insert({port.protocol(), port.port()}).second) continue;
    errors.duplicate_raw(
        at, fmt::format("core.ServicePort{{Name:\"\", Protocol:{}, AppProtocol:(*string)(nil), "
                        "Port:{}, TargetPort:intstr.IntOrString{{Type:0, IntVal:0, StrVal:\"\"}}, "
                        "NodePort:0}}",
                        go_quote(port.protocol()), port.port()));
  }
}

void Checker::check_affinity() {
  check_choice(path / "sessionAffinity", spec.sessionaffinity(), {"ClientIP", "None"}, errors);
  const FieldPath at = path / "sessionAffinityConfig";
  if (spec.sessionaffinity() == "None" && spec.has_sessionaffinityconfig()) {
    errors.forbidden(at, "must not be set when session affinity is None");
  }
  if (spec.sessionaffinity() != "ClientIP") return;
  constexpr std::int32_t seconds_max = 86'400;
  const std::int32_t seconds = spec.sessionaffinityconfig().clientip().timeoutseconds();
  if (seconds > 0 && seconds <= seconds_max) return;
  errors.invalid_number(at / "clientIP" / "timeoutSeconds", seconds,
                        fmt::format("must be greater than 0 and less than {}", seconds_max));
}

void Checker::check_families() {
  const FieldPath at = path / "ipFamilies";
  std::set<std::string_view> families;
  std::size_t i = 0;
  for (const auto& family : spec.ipfamilies()) {
    const FieldPath item = at[i++];
    if (family == "IPv6") {
      errors.invalid(item, family, "not configured on this cluster");
    } else if (family != "IPv4") {
      errors.not_supported(item, family, {"IPv4", "IPv6"});
    }
    if (!families.insert(family).second) errors.duplicate(item, family);
  }
  static const Choices policies = {"PreferDualStack", "RequireDualStack", "SingleStack"};
  const std::string& policy = spec.ipfamilypolicy();
  if (!spec.has_ipfamilypolicy()) return;
  if (std::ranges::find(policies, policy) == policies.end()) {
    errors.not_supported(path / "ipFamilyPolicy", policy, policies);
  } else if (policy == "RequireDualStack") {
    errors.invalid(path / "ipFamilyPolicy", policy,
                   "this cluster is not configured for dual-stack services");
  }
}

void Checker::check_cluster_ips() {
  if (spec.type() == "ExternalName") return;
  const FieldPath at = path / "clusterIPs";
  const std::string list = go_syntax(spec.clusterips());
  if (spec.clusterip().empty() && !spec.clusterips().empty()) {
    errors.invalid_raw(at, list, "must be empty when `clusterIP` is not specified");
  } else if (!spec.clusterip().empty() && spec.clusterips().empty()) {
    errors.required(at);
  } else if (!spec.clusterips().empty() && spec.clusterips(0) != spec.clusterip()) {
    errors.invalid_raw(at, list, "first value must match `clusterIP`");
  }
  check_families();
  bool is_sound = true;
  for (int i = 0; i < spec.clusterips_size(); ++i) {
    const std::string& ip = spec.clusterips(i);
    if (i == 0 && ip == "None") {
      if (spec.clusterips_size() == 1) continue;
      errors.invalid_raw(at, list, "'None' must be the first and only value");
      is_sound = false;
      continue;
    }
    is_sound &= IpAddress::parse(ip).has_value();
    check_value(at[static_cast<std::size_t>(i)], ip, check_ip, errors);
  }
  if (spec.clusterips_size() > 2) errors.invalid_raw(at, list, "may only hold up to 2 values");
  if (!is_sound || spec.clusterips_size() < 2) return;
  if (IpAddress::parse(spec.clusterips(0))->is_v4() ==
      IpAddress::parse(spec.clusterips(1))->is_v4()) {
    errors.invalid_raw(at, list, "may specify no more than one IP for each IP family");
  }
}

void Checker::check_external_ips() {
  std::size_t i = 0;
  for (const auto& ip : spec.externalips()) {
    const FieldPath at = (path / "externalIPs")[i++];
    check_value(at, ip, IpAddress::parse(ip) ? check_non_special_ip : check_ip, errors);
  }
}

void Checker::check_load_balancer() {
  constexpr std::string_view why = "may only be used when `type` is 'LoadBalancer'";
  const bool is_balancer = spec.type() == "LoadBalancer";
  const FieldPath ranges = path / "LoadBalancerSourceRanges";  // upstream's path begins so
  if (!is_balancer && !spec.loadbalancersourceranges().empty()) errors.forbidden(ranges, why);
  std::size_t i = 0;
  for (const auto& range : spec.loadbalancersourceranges()) {
    check_value(ranges[i++], range, check_cidr, errors);
  }
  if (spec.has_allocateloadbalancernodeports() && !is_balancer) {
    errors.forbidden(path / "allocateLoadBalancerNodePorts", why);
  }
  if (!spec.has_loadbalancerclass()) return;
  if (is_balancer) {
    check_value(path / "loadBalancerClass", spec.loadbalancerclass(), check_qualified_name, errors);
  } else {
    errors.forbidden(path / "loadBalancerClass", why);
  }
}

void Checker::check_traffic_policies() {
  const std::string& external = spec.externaltrafficpolicy();
  if (is_externally_accessible(spec)) {
    check_choice(path / "externalTrafficPolicy", external, {"Cluster", "Local"}, errors);
  } else if (!external.empty()) {
    errors.invalid(path / "externalTrafficPolicy", external,
                   "may only be set for externally-accessible services");
  }
  if (spec.healthchecknodeport() != 0) {
    const FieldPath at = path / "healthCheckNodePort";
    if (spec.type() == "LoadBalancer" && external == "Local") {
      check_number(at, spec.healthchecknodeport(), check_port_number, errors);
    } else {
      errors.invalid_number(at, spec.healthchecknodeport(),
                            "may only be set when `type` is 'LoadBalancer' and "
                            "`externalTrafficPolicy` is 'Local'");
    }
  }
  if (spec.has_internaltrafficpolicy()) {
    check_choice(path / "internalTrafficPolicy", spec.internaltrafficpolicy(), {"Cluster", "Local"},
                 errors);
  } else if (has_cluster_ip(spec)) {
    errors.required(path / "internalTrafficPolicy");
  }
  if (spec.has_trafficdistribution() && spec.trafficdistribution() != "PreferClose") {
    errors.not_supported(path / "trafficDistribution", spec.trafficdistribution(), {"PreferClose"});
  }
}

bool is_headless(const core::ServiceSpec& spec) {
  return spec.clusterips_size() == 1 && spec.clusterips(0) == "None";
}

void check_ingress(const FieldPath& path, const core::LoadBalancerIngress& ingress,
                   FieldErrors& errors) {
  if (!ingress.ip().empty()) check_value(path / "ip", ingress.ip(), check_ip, errors);
  if (ingress.has_ipmode()) {
    if (ingress.ip().empty()) {
      errors.forbidden(path / "ipMode", "may not be specified when `ip` is not set");
    } else if (ingress.ipmode() != "VIP" && ingress.ipmode() != "Proxy") {
      errors.not_supported(path / "ipMode", ingress.ipmode(), {"Proxy", "VIP"});
    }
  }
  if (ingress.hostname().empty()) return;
  check_value(path / "hostname", ingress.hostname(), check_dns_subdomain, errors);
  if (IpAddress::parse(ingress.hostname())) {
    errors.invalid(path / "hostname", ingress.hostname(), "must be a DNS name, not an IP address");
  }
}

}  // namespace

void check_service(const core::Service& service, FieldErrors& errors) {
  Checker checker{.service = service, .errors = errors};
  checker.check_type();
  checker.check_ports();
  check_labels(checker.path / "selector", checker.spec.selector(), errors);
  checker.check_affinity();
  checker.check_cluster_ips();
  checker.check_external_ips();
  checker.check_load_balancer();
  checker.check_traffic_policies();
}

void check_service_status(const core::Service& service, FieldErrors& errors) {
  const FieldPath path = FieldPath("status") / "loadBalancer" / "ingress";
  const auto& ingress = service.status().loadbalancer().ingress();
  if (service.spec().type() != "LoadBalancer") {
    if (ingress.empty()) return;
    return errors.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'");
  }
  std::size_t i = 0;
  for (const auto& one : ingress) check_ingress(path[i++], one, errors);
}

void check_service_update(const core::ServiceSpec& before, const core::ServiceSpec& after,
                          FieldErrors& errors) {
  const FieldPath path("spec");
  if (before.type() == "LoadBalancer" && after.type() == "LoadBalancer" &&
      before.loadbalancerclass() != after.loadbalancerclass()) {
    errors.invalid(path / "loadBalancerClass", after.loadbalancerclass(),
                   "may not change once set");
  }
  if (before.type() == "ExternalName" || after.type() == "ExternalName") return;
  if (is_headless(before) && is_headless(after)) return;
  const FieldPath at = (path / "clusterIPs")[0];
  if (before.clusterips().empty()) return;
  if (after.clusterips().empty()) {
    errors.invalid_raw(at, go_syntax(after.clusterips()), "primary clusterIP can not be unset");
  } else if (before.clusterips(0) != after.clusterips(0)) {
    errors.invalid_raw(at, go_syntax(after.clusterips()), "may not change once set");
  }
}

}  // namespace keelson
