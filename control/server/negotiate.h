// In which form a client wants its answer: the Accept header against what we can write.
#pragma once

#include <string_view>

#include "base/error.h"

namespace keelson {

enum class Media { Json, Yaml, Protobuf };
// What stands for the object: itself, a Table, or its metadata alone.
enum class Shape { Object, Table, Metadata };

struct Output {
  Media media = Media::Json;
  Shape shape = Shape::Object;
  std::string_view meta_version = "v1";  // of meta.k8s.io, for Table and Metadata: "v1", "v1beta1"
};

// The first of the client's wishes, by its weights, that can be fulfilled; JSON if there are none.
// NotAcceptable: none can.
Result<Output> negotiate(std::string_view accept);

// Does the client ask for this media type, parameters and all?
bool accepts(std::string_view accept, std::string_view media_type);

std::string_view content_type(const Output& output);

}  // namespace keelson
