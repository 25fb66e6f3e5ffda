// Patches of a JSON tree: JSON patch, JSON merge patch, and strategic merge by the schema's rules.
// (Server-side apply, which needs to know who owns what, is in apply.h.)
#pragma once

#include "api/json.h"

namespace keelson {

// RFC 6902. Invalid: an operation cannot be done, or a test failed. RequestEntityTooLarge: too many
// operations.
Result<json::value> json_patch(const json::value& document, const json::value& patch);

// RFC 7386.
Result<json::value> merge_patch(const json::value& document, const json::value& patch);

// By patch strategies and merge keys of the kind's schema, with its directives ($patch,
// $retainKeys, $setElementOrder, $deleteFromPrimitiveList). API-BEHAVIOUR §5 and §15.
Result<json::value> strategic_merge_patch(const Kind& kind, const json::value& document,
                                          const json::value& patch);

}  // namespace keelson
