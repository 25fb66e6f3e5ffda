// What names, labels, keys, ports and addresses may look like, with Kubernetes' own words for what
// is wrong. API-BEHAVIOUR §7.
#pragma once

#include <google/protobuf/map.h>

#include <string>
#include <string_view>
#include <vector>

#include "api/field_errors.h"
#include "api/kinds.h"

namespace k8s::io::apimachinery::pkg::apis::meta::v1 {
class LabelSelector;
}
namespace k8s::io::apimachinery::pkg::util::intstr {
class IntOrString;
}

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
std::vector<std::string> check_ipv4(std::string_view value);
std::vector<std::string> check_ipv6(std::string_view value);
std::vector<std::string> check_cidr(std::string_view value);
// Of those a Service or an endpoint cannot have: unspecified, loopback, link-local.
std::vector<std::string> check_non_special_ip(std::string_view value);
std::vector<std::string> check_environment_name(std::string_view value);
std::vector<std::string> check_http_header_name(std::string_view value);
std::vector<std::string> check_percent(std::string_view value);  // "25%"
std::vector<std::string> check_range(std::int64_t value, std::int64_t min, std::int64_t max);
std::vector<std::string> check_user_or_group_id(std::int64_t value);

using Check = std::vector<std::string> (*)(std::string_view value);
void check_value(const FieldPath& path, std::string_view value, Check check, FieldErrors& errors);
void check_number(const FieldPath& path, std::int64_t value,
                  std::vector<std::string> (*check)(std::int64_t value), FieldErrors& errors);
void check_non_negative(const FieldPath& path, std::int64_t value, FieldErrors& errors);

// One of these; required if empty.
void check_choice(const FieldPath& path, std::string_view value,
                  const std::vector<std::string_view>& choices, FieldErrors& errors);
void check_protocol(const FieldPath& path, std::string_view value, FieldErrors& errors);
// A number, or a port's name.
void check_port(const FieldPath& path, const intstr::IntOrString& port, FieldErrors& errors);

enum class EmptyEffect { IsMissing, MatchesAll };  // of a taint, of a toleration
void check_taint_effect(const FieldPath& path, const std::string& effect, EmptyEffect empty,
                        FieldErrors& errors);

using StringMap = google::protobuf::Map<std::string, std::string>;
void check_labels(const FieldPath& path, const StringMap& labels, FieldErrors& errors);
void check_annotations(const FieldPath& path, const StringMap& annotations, FieldErrors& errors);
void check_label_selector(const FieldPath& path, const meta::LabelSelector& selector,
                          FieldErrors& errors);
// Everything that is checked of metadata on a create, whatever the kind.
void check_metadata(const Kind& kind, const meta::ObjectMeta& metadata, FieldErrors& errors);
// And of an update: what may not change, finalizers of an object on its way out.
void check_metadata_update(const meta::ObjectMeta& before, const meta::ObjectMeta& after,
                           FieldErrors& errors);

// The entries of a map by key: errors stand in one order.
std::vector<std::pair<std::string_view, std::string_view>> sorted(const StringMap& map);

}  // namespace keelson
