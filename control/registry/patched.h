// A patch's way from a JSON tree to a message: applied, decoded, and what it says that no field
// takes.
#pragma once

#include "api/json.h"
#include "control/registry/registry.h"

namespace keelson {

// The message that results from patching `before`. Unknown and duplicate fields go by
// context.field_validation. Any type but Apply.
Result<std::unique_ptr<Message>> patched(const Kind& kind, const Message& before, PatchType type,
                                         const Document& body, RequestContext& context);

// `duplicate field "spec.replicas"`, `unknown field "spec.foo"`: one text each.
std::vector<std::string> leftovers(const std::vector<std::string>& duplicates,
                                   const std::vector<std::string>& unknown);

}  // namespace keelson
