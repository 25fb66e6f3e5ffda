// How an image store lies on disk; image_import.cpp fills it, image_store.cpp reads and sweeps it.
//
//   lock                  flock: shared by who adds and holds, exclusive for who deletes
//   blobs/HEX             manifests and configurations, as they came
//   images/ID             {"manifest", "layers", "size", "imported"}; ID: digest of the
//   configuration names/NAME            ID of its image; NAME percent-encoded layers/DIFF_ID/fs
//   unpacked; beside it `size` and `link` l/SHORT               → ../layers/DIFF_ID/fs; SHORT is in
//   `link`. overlayfs takes short paths only users/OWNER/USER      ID of the image it needs tmp/…
//   not finished; whoever has the lock for himself may delete it
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "isolation/image_store.h"

namespace keelson::isolation {

struct ImageStore::Impl {
  std::string folder;
  ImageLimits limits;
  Fd fd;  // of folder

  // flock'ed until it is closed. exclusive: waits for everybody; at_once: ServiceUnavailable if
  // somebody is in.
  enum class Lock { Shared, Exclusive, ExclusiveAtOnce };
  Result<Fd> lock(Lock how) const;

  Result<std::string> read(const std::string& path) const;
  // Whole or not at all. Durable: on disk before it is there.
  enum class Write { Quick, Durable };
  Result<> write(const std::string& path, std::string_view text, Write how) const;
  Result<std::vector<std::string>> list(const std::string& path) const;
  Result<Fd> make_temporary(std::string* name) const;  // below tmp/

  Result<Image> image_of(const std::string& id) const;  // without names
  Result<> name(const std::string& image_name, const std::string& id) const;
  Result<std::uint64_t> sweep_locked() const;
};

std::string file_name_of(std::string_view image_name);  // percent-encoded
std::string image_name_of(std::string_view file_name);

// The bytes of all files below, links not followed.
std::uint64_t bytes_below(const std::string& folder);

}  // namespace keelson::isolation
