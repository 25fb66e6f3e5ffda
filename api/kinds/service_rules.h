// Rules of Services: what a type has, what an update keeps, and what is checked.
#pragma once

#include "api/field_errors.h"
#include "api/types.h"

namespace k8s::io::api::core::v1 {
class Service;
class ServiceSpec;
}  // namespace k8s::io::api::core::v1

namespace keelson {

// By type; a headless Service has the type but no address.
bool has_cluster_ip(const core::ServiceSpec& spec);
bool has_node_ports(const core::ServiceSpec& spec);
bool is_externally_accessible(const core::ServiceSpec& spec);

// clusterIP and the first of clusterIPs are one value: who sets or clears one means both. before:
// null on a create.
void normalize_cluster_ips(const core::ServiceSpec* before, core::ServiceSpec& after);
void set_ip_families(core::ServiceSpec& spec);  // one IPv4 address, unless more is asked for
// What was given and is left out now stays.
void keep_allocated(const core::ServiceSpec& before, core::ServiceSpec& after);
// What the new type cannot have goes, unless the update speaks of it.
void drop_what_the_type_lost(const core::ServiceSpec& before, core::ServiceSpec& after);

void check_service(const core::Service& service, FieldErrors& errors);
void check_service_status(const core::Service& service, FieldErrors& errors);
void check_service_update(const core::ServiceSpec& before, const core::ServiceSpec& after,
                          FieldErrors& errors);

}  // namespace keelson
