// Service: one stable address in front of many pods.
#include "api/proto/core/v1/service.pb.h"

#include <set>

#include "api/cells.h"
#include "api/facts.h"
#include "api/kinds/service_rules.h"
#include "api/proto/util/int_or_string.pb.h"
#include "api/row.h"
#include "api/unsupported.h"

namespace keelson {
namespace {

constexpr std::int32_t affinity_seconds = 10'800;  // three hours

bool is_unset(const intstr::IntOrString& port) {
  return port.type() == 0 ? port.intval() == 0 : port.strval().empty();
}

void default_affinity(core::ServiceSpec& spec) {
  if (spec.sessionaffinity().empty()) spec.set_sessionaffinity("None");
  if (spec.sessionaffinity() == "None") spec.clear_sessionaffinityconfig();
  if (spec.sessionaffinity() != "ClientIP") return;
  if (spec.sessionaffinityconfig().clientip().has_timeoutseconds()) return;
  spec.mutable_sessionaffinityconfig()->mutable_clientip()->set_timeoutseconds(affinity_seconds);
}

void set_defaults(Message& message) {
  core::ServiceSpec& spec = *as<core::Service>(message).mutable_spec();
  default_affinity(spec);
  if (spec.type().empty()) spec.set_type("ClusterIP");
  for (auto& port : *spec.mutable_ports()) {
    if (port.protocol().empty()) port.set_protocol("TCP");
    if (!is_unset(port.targetport())) continue;
    port.mutable_targetport()->set_type(0);
    port.mutable_targetport()->set_intval(port.port());
    port.mutable_targetport()->clear_strval();
  }
  if (is_externally_accessible(spec) && spec.externaltrafficpolicy().empty()) {
    spec.set_externaltrafficpolicy("Cluster");
  }
  if (!spec.has_internaltrafficpolicy() && has_cluster_ip(spec)) {
    spec.set_internaltrafficpolicy("Cluster");
  }
  if (spec.type() != "LoadBalancer") return;
  if (!spec.has_allocateloadbalancernodeports()) spec.set_allocateloadbalancernodeports(true);
  if (!as<core::Service>(message).has_status()) return;
  core::ServiceStatus& status = *as<core::Service>(message).mutable_status();
  for (auto& ingress : *status.mutable_loadbalancer()->mutable_ingress()) {
    if (!ingress.ip().empty() && !ingress.has_ipmode()) ingress.set_ipmode("VIP");
  }
}

void prepare_create(Message& message) {
  auto& service = as<core::Service>(message);
  service.clear_status();
  normalize_cluster_ips(nullptr, *service.mutable_spec());
  set_ip_families(*service.mutable_spec());
}

void prepare_update(const Message& before_message, Message& after_message) {
  keep_status<core::Service>(before_message, after_message);
  const core::ServiceSpec& before = as<core::Service>(before_message).spec();
  core::ServiceSpec& after = *as<core::Service>(after_message).mutable_spec();
  keep_allocated(before, after);
  normalize_cluster_ips(&before, after);
  drop_what_the_type_lost(before, after);
  set_ip_families(after);
}

std::string ports_cell(const core::ServiceSpec& spec) {
  std::vector<std::string> texts;
  for (const auto& port : spec.ports()) {
    texts.push_back(port.nodeport() > 0
                        ? fmt::format("{}:{}/{}", port.port(), port.nodeport(), port.protocol())
                        : fmt::format("{}/{}", port.port(), port.protocol()));
  }
  return or_none(joined(texts));
}

std::string external_ip_cell(const core::Service& service) {
  const core::ServiceSpec& spec = service.spec();
  const std::vector<std::string> external(spec.externalips().begin(), spec.externalips().end());
  if (spec.type() == "ExternalName") return spec.externalname();
  if (spec.type() != "LoadBalancer") return or_none(joined(external));
  std::set<std::string> balancers;
  for (const auto& one : service.status().loadbalancer().ingress()) {
    balancers.insert(one.ip().empty() ? one.hostname() : one.ip());
  }
  std::vector<std::string> all(balancers.begin(), balancers.end());
  all.insert(all.end(), external.begin(), external.end());
  return all.empty() ? "<pending>" : joined(all);
}

std::vector<Cell> cells(const Message& message, WallTime now) {
  const auto& service = as<core::Service>(message);
  return {service.metadata().name(),
          service.spec().type(),
          or_none(service.spec().clusterip()),
          external_ip_cell(service),
          ports_cell(service.spec()),
          age_cell(service.metadata(), now),
          labels_cell(service.spec().selector())};
}

std::vector<Column> columns() {
  return {name_column(),
          {.name = "Type", .description = "How the Service can be reached."},
          {.name = "Cluster-IP", .description = "Its address within the cluster."},
          {.name = "External-IP", .description = "Its addresses outside."},
          {.name = "Port(s)", .description = "Ports, and node ports behind a colon."},
          age_column(),
          {.name = "Selector", .description = "Which pods are behind it.", .priority = 1}};
}

}  // namespace

const Kind& kinds::service() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "Service",
      .plural = "services",
      .singular = "service",
      .short_names = {"svc"},
      .categories = {"all"},
      .name_rule = NameRule::Dns1035Label,
      .prototype = &core::Service::default_instance(),
      .subresources = {{.name = "status", .verbs = status_verbs}},
      .selectable_fields = {{"spec.clusterIP",
                             [](const Message& m) {
                               return as<core::Service>(m).spec().clusterip();
                             }},
                            {"spec.type",
                             [](const Message& m) { return as<core::Service>(m).spec().type(); }}},
      .columns = columns(),
      .row = cells,
      .set_defaults = set_defaults,
      .prepare_create = prepare_create,
      .prepare_update = prepare_update,
      .prepare_status_update = keep_spec<core::Service>,
      .validate = [](const Message& message,
                     FieldErrors& errors) { check_service(as<core::Service>(message), errors); },
      .validate_update =
          [](const Message& before, const Message& after, FieldErrors& errors) {
            check_service_update(as<core::Service>(before).spec(), as<core::Service>(after).spec(),
                                 errors);
          },
      .validate_status_update =
          [](const Message&, const Message& after, FieldErrors& errors) {
            check_service_status(as<core::Service>(after), errors);
          },
      .warn =
          [](const Message& message, std::vector<std::string>& warnings) {
            warn_of_unsupported_service_spec(FieldPath("spec"), as<core::Service>(message).spec(),
                                             warnings);
          },
      .facts = extract_service_facts,
      .create_on_update = true,
  };
  return row;
}

}  // namespace keelson
