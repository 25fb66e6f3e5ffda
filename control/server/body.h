// Bodies of requests: JSON, YAML or protobuf, to the message they mean.
#pragma once

#include <memory>
#include <string_view>

#include "api/json.h"
#include "control/registry/registry.h"

namespace keelson {

// An object of this kind. Unknown and duplicate fields go by context.field_validation.
// UnsupportedMediaType; BadRequest: not an object of the kind, in Kubernetes' words.
Result<std::unique_ptr<Message>> read_object(const Kind& kind, std::string_view content_type,
                                             std::string_view body, RequestContext& context);

struct PatchBody {
  PatchType type;
  Document document;
};
Result<PatchBody> read_patch(std::string_view content_type, std::string_view body);

// DeleteOptions; an empty body means none. dry_run: what it says of it.
struct DeleteBody {
  DeleteOptions options;
  std::vector<std::string> dry_run;
};
Result<DeleteBody> read_delete_options(std::string_view content_type, std::string_view body);

}  // namespace keelson
