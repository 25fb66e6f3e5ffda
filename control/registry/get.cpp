// GET of one object.
#include "control/registry/errors.h"
#include "control/registry/registry.h"
#include "control/registry/revision_text.h"
#include "control/registry/scale.h"
#include "control/registry/served.h"

namespace keelson {

Result<Answer> Registry::get(const Target& target, std::string_view resource_version) {
  if (target.kind.stored_as) {
    return served_answer(target.kind, get(stored(target), resource_version));
  }
  if (!takes(target, "get")) return not_supported(target.kind, target.subresource, "get");
  auto wanted = parse_revision(resource_version);
  if (!wanted) return std::unexpected(wanted.error());
  if (*wanted > store_.revision()) return too_large_revision(*wanted, store_.revision());
  ObjectPtr object = view().get(target.kind, target.name_space, target.name);
  if (!object) return not_found(target.kind, target.name);
  const Revision shown = object->resource_version;
  if (target.subresource != "scale") return Answer{.object = std::move(object), .revision = shown};
  auto scale = scale_of(*object);
  if (!scale) return std::unexpected(scale.error());
  return Answer{.object = std::move(*scale), .revision = shown};
}

}  // namespace keelson
