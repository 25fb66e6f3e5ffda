// A layer's tar, gzip, zstd or plain, unpacked in overlayfs' own form, its digests checked as it
// streams. The tar may be hostile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "isolation/image_store.h"

namespace keelson::isolation {

struct LayerSource {
  int blob_fd = -1;         // read from its beginning to its end
  std::string blob_digest;  // 64 hex digits; "": not known
  std::string diff_id;      // of the tar itself
};

struct UnpackedLayer {
  std::uint64_t bytes = 0;  // of its files
  std::uint64_t entries = 0;
  std::uint64_t skipped_devices = 0;
};

// Into an empty folder; on error it may be half full. lower: folders of the layers below, highest
// first: a folder that the tar only implies gets its owner and mode from there.
Result<UnpackedLayer> unpack_layer(const LayerSource& source, int folder,
                                   const std::vector<int>& lower, const ImageLimits& limits);

}  // namespace keelson::isolation
