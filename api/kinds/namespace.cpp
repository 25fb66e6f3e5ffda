// Namespace: a scope for names.
#include "api/proto/core/v1/namespace.pb.h"
#include "api/row.h"

namespace keelson {

const Kind& kinds::name_space() {
  static const Kind row = {
      .group = "",
      .version = "v1",
      .kind = "Namespace",
      .plural = "namespaces",
      .singular = "namespace",
      .short_names = {"ns"},
      .scope = Scope::Cluster,
      .name_rule = NameRule::DnsLabel,
      .prototype = &core::Namespace::default_instance(),
      .verbs = {"create", "delete", "get", "list", "patch", "update", "watch"},
      .subresources = {{.name = "finalize", .verbs = {"update"}},
                       {.name = "status", .verbs = status_verbs}},
      .selectable_fields = {{"status.phase",
                             [](const Message& m) {
                               return as<core::Namespace>(m).status().phase();
                             }}},
      .prepare_update = keep_status<core::Namespace>,
      .prepare_status_update = keep_spec<core::Namespace>,
  };
  return row;
}

}  // namespace keelson
