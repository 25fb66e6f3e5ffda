// Patches of a JSON tree: JSON patch, JSON merge patch, and strategic merge by the schema's rules.
// (Server-side apply, which needs to know who owns what, is in apply.h.)
#pragma once

#include <string>

#include "api/json.h"
#include "base/limits.h"

namespace keelson {

// RFC 6902, with evanphx/json-patch's readings of it: indices may count from the end, and replace
// takes a key that is not there. BadRequest: not a patch. Invalid: an operation cannot be done, or
// a test failed; a cause says which and why. RequestEntityTooLarge: too many operations.
Result<json::value> json_patch(const json::value& document, const json::value& patch,
                               const Limits& limits = {});

// RFC 7386. BadRequest: the patch is no object.
Result<json::value> merge_patch(const json::value& document, const json::value& patch);

// By patch strategies and merge keys of the kind's schema, with its directives ($patch,
// $retainKeys, $setElementOrder, $deleteFromPrimitiveList). API-BEHAVIOUR §5 and §15. BadRequest:
// a directive is not of its form. Unknown (500, as upstream): an item lacks its merge key, or a
// field is not in the schema.
Result<json::value> strategic_merge_patch(const Kind& kind, const json::value& document,
                                          const json::value& patch);

// A tree as Go prints it (%v): `map[a:1 b:[x y]]`. Errors about patches are full of them.
std::string go_value_text(const json::value& tree);

}  // namespace keelson
