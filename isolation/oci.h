// The documents of images: OCI index, manifest and configuration, and docker save's manifest.json.
// Pure; whatever the bytes are, the answer is a value or an Error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "isolation/image_store.h"

namespace keelson::isolation {

struct OciDescriptor {
  std::string digest;  // 64 hex digits
  std::string media_type;
  std::string name;     // what its annotations call it; ""
  std::string machine;  // "amd64"; "" if it does not say
  bool is_index() const;
};

Result<std::vector<OciDescriptor>> parse_index(std::string_view json);

struct OciManifest {
  std::string config;               // digest
  std::vector<std::string> layers;  // digests of what was compressed, lowest first
};
Result<OciManifest> parse_manifest(std::string_view json);

struct OciConfig {
  ImageConfig config;
  std::vector<std::string> diff_ids;  // digests of the layers' tars
  std::string machine, system;
};
Result<OciConfig> parse_image_config(std::string_view json);

struct DockerImage {
  std::string config;               // a path in the archive
  std::vector<std::string> layers;  // paths, lowest first
  std::vector<std::string> names;
};
Result<std::vector<DockerImage>> parse_docker_manifest(std::string_view json);

}  // namespace keelson::isolation
