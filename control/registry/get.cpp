// GET of one object.
#include "control/registry/errors.h"
#include "control/registry/registry.h"
#include "control/registry/revision_text.h"
#include "control/registry/scale.h"

namespace keelson {

Result<Answer> Registry::get(const Target& target, std::string_view resource_version) {
  auto wanted = parse_revision(resource_version);
  if (!wanted) return std::unexpected(wanted.error());
  if (*wanted > store_.revision()) return too_large_revision(*wanted, store_.revision());
  ObjectPtr object = view().get(target.kind, target.name_space, target.name);
  if (!object) return not_found(target.kind, target.name);
  if (target.subresource == "scale") {
    auto scale = scale_of(*object);
    if (!scale) return std::unexpected(scale.error());
    return Answer{.object = std::move(*scale), .revision = object->resource_version};
  }
  if (!target.subresource.empty() && target.subresource != "status") {
    return not_supported(target.kind, target.subresource, "get");
  }
  const Revision shown = object->resource_version;
  return Answer{.object = std::move(object), .revision = shown};
}

}  // namespace keelson
