// What names, labels, keys and ports may look like, with Kubernetes' own words for what is wrong.
// API-BEHAVIOUR §7.
#pragma once

#include <google/protobuf/map.h>

#include <string>
#include <string_view>
#include <vector>

#include "api/field_errors.h"
#include "api/kinds.h"

namespace keelson {

// Each returns what is wrong, one text a finding; empty: nothing.
std::vector<std::string> check_dns_subdomain(std::string_view value);
std::vector<std::string> check_dns_label(std::string_view value);
std::vector<std::string> check_dns1035_label(std::string_view value);
std::vector<std::string> check_path_segment(std::string_view value);
std::vector<std::string> check_qualified_name(std::string_view value);  // label keys
std::vector<std::string> check_label_value(std::string_view value);
std::vector<std::string> check_config_key(std::string_view value);  // ConfigMap and Secret keys
std::vector<std::string> check_port_name(std::string_view value);
std::vector<std::string> check_port_number(std::int64_t value);
std::vector<std::string> check_ip(std::string_view value);
std::vector<std::string> check_environment_name(std::string_view value);

void check_labels(const FieldPath& path,
                  const google::protobuf::Map<std::string, std::string>& labels,
                  FieldErrors& errors);
// Everything that is checked of metadata on a create, whatever the kind.
void check_metadata(const Kind& kind, const meta::ObjectMeta& metadata, FieldErrors& errors);
// And of an update: what may not change, finalizers of an object on its way out.
void check_metadata_update(const meta::ObjectMeta& before, const meta::ObjectMeta& after,
                           FieldErrors& errors);

}  // namespace keelson
