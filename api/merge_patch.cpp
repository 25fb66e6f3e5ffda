// JSON merge patch (RFC 7386).
#include "api/patch.h"

namespace keelson {
namespace {

// The depth is that of two decoded documents, and so bounded.
void merge(json::value& target, const json::object& patch) {
  if (!target.is_object()) target.emplace_object();
  json::object& object = target.get_object();
  for (const auto& [key, value] : patch) {
    if (value.is_null()) {
      object.erase(key);
    } else if (const json::object* inner = value.if_object()) {
      merge(object[key], *inner);
    } else {
      object.insert_or_assign(key, value);
    }
  }
}

}  // namespace

Result<json::value> merge_patch(const json::value& document, const json::value& patch) {
  const json::object* object = patch.if_object();
  if (!object) return fail(Reason::BadRequest, "a merge patch is a JSON object");
  json::value patched = document;
  merge(patched, *object);
  return patched;
}

}  // namespace keelson
