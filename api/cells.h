// What cells of several kinds' tables have in common, in the words kubectl users know.
#pragma once

#include <google/protobuf/map.h>

#include <string>
#include <string_view>
#include <vector>

#include "api/kinds.h"

namespace k8s::io::apimachinery::pkg::apis::meta::v1 {
class LabelSelector;
class MicroTime;
}  // namespace k8s::io::apimachinery::pkg::apis::meta::v1
namespace k8s::io::api::core::v1 {
class PodSpec;
}

namespace keelson {

inline constexpr std::string_view none = "<none>";

// The first column and the age, which nearly every table has.
Column name_column();
Column age_column();

std::string age_cell(const meta::ObjectMeta& metadata, WallTime now);
std::string since_cell(const meta::Time& time, WallTime now);  // "<unknown>" if it is not set
std::string since_cell(const meta::MicroTime& time, WallTime now);
std::string or_none(const std::string& text);

// "app=web,tier=front"
std::string labels_cell(const google::protobuf::Map<std::string, std::string>& labels);
std::string selector_cell(const meta::LabelSelector& selector);
std::string container_names_cell(const core::PodSpec& spec);
std::string images_cell(const core::PodSpec& spec);

std::string joined(const std::vector<std::string>& texts, std::string_view separator = ",");
// At most three of them: "a,b,c + 2 more...".
std::string first_three(const std::vector<std::string>& texts);

}  // namespace keelson
