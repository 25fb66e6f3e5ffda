// Names of resources and what amounts they may have. Source: k8s.io/kubernetes
// pkg/apis/core/helper.
#pragma once

#include <string_view>

#include "api/field_errors.h"
#include "api/quantity.h"

namespace keelson {

bool is_native_resource(std::string_view name);     // cpu, x.kubernetes.io/y
bool is_extended_resource(std::string_view name);   // example.com/dongle
bool is_huge_page_resource(std::string_view name);  // hugepages-2Mi
bool is_integer_resource(std::string_view name);    // has no fractions
bool is_overcommit_allowed(std::string_view name);  // limits may be above requests
// Divisible by the page's size, which the name has.
bool is_whole_huge_pages(std::string_view name, const Quantity& amount);

void check_container_resource_name(const FieldPath& path, std::string_view name,
                                   FieldErrors& errors);
void check_resource_amount(const FieldPath& path, std::string_view name, const Quantity& amount,
                           FieldErrors& errors);

}  // namespace keelson
