// Service: one stable address in front of many pods.
#include "api/facts.h"
#include "api/proto/core/v1/service.pb.h"
#include "api/row.h"

namespace keelson {

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
      .prepare_create = drop_status<core::Service>,
      .prepare_update = keep_status<core::Service>,
      .prepare_status_update = keep_spec<core::Service>,
      .facts = extract_service_facts,
      .create_on_update = true,
  };
  return row;
}

}  // namespace keelson
