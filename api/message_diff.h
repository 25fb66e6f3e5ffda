// How two messages of one type differ.
#pragma once

#include <string>
#include <string_view>

#include "api/types.h"

namespace keelson {

// As Kubernetes compares: what it would store is the same.
bool is_equal(const Message& before, const Message& after);

// A line for each value that is gone or new, for people: `- spec.nodeName: "a"`. Empty: they are
// equal. At most twenty lines.
std::string difference(const Message& before, const Message& after, std::string_view root);

}  // namespace keelson
