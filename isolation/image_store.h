// Images on disk: content-addressed, unpacked once, mounted many times, shared by several nodes of
// one machine.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"

namespace keelson::isolation {

// What the image's author set; OCI image configuration.
struct ImageConfig {
  std::vector<std::string> env, entrypoint, cmd;
  std::string user, working_directory, stop_signal;  // stop_signal: "", "SIGINT", "2"
  std::vector<std::string> exposed_ports;            // "8080/tcp"
  std::vector<std::pair<std::string, std::string>> labels;
};

struct Image {
  std::string id;                  // "sha256:…" of its configuration
  std::string manifest_digest;     // "sha256:…"
  std::vector<std::string> names;  // normalized, with tag: "docker.io/library/nginx:latest"
  ImageConfig config;
  std::vector<std::string> layers;  // diff ids, lowest first
  std::uint64_t size_bytes = 0;     // unpacked, all layers
  WallTime imported{};
};

// Bounds of what an archive may do to us.
struct ImageLimits {
  std::uint64_t image_bytes = 64ull << 30;  // unpacked, all layers
  std::uint64_t archive_bytes = 64ull << 30;
  std::uint64_t entries = 2'000'000;      // files of one layer
  int layers = 127;                       // Docker's own
  std::size_t document_bytes = 4u << 20;  // a manifest, index or configuration
};

// "nginx" → "docker.io/library/nginx:latest"; "keelson.local/a" → "keelson.local/a:latest". With a
// digest the tag is dropped, as Docker does. Invalid: it is no image name.
Result<std::string> normalize_image_name(const std::string& name);

// Any thread, several processes: files and locks are the only state. Blocking.
class ImageStore {
 public:
  static Result<ImageStore> open(const std::string& folder, const ImageLimits& limits = {});
  ImageStore(ImageStore&&) noexcept;
  ImageStore& operator=(ImageStore&&) noexcept;
  ~ImageStore();

  // source: an OCI layout (folder or tar) or a docker-archive tar, gzip or zstd around it or not.
  // name: instead of those in the archive; needed where it has none. Returns what was imported.
  Result<std::vector<Image>> import(const std::string& source, const std::string& name = {}) const;
  Result<std::vector<Image>> import(Fd archive, const std::string& name = {}) const;  // from a pipe

  // By name (any spelling), by "sha256:…" of configuration or manifest, or NAME@sha256:….
  // NotFound: no such image.
  Result<Image> find(const std::string& name) const;
  Result<std::vector<Image>> list() const;
  Result<> tag(const std::string& image, const std::string& new_name) const;
  // A name, or an id with all its names. What no name and no user holds any more is deleted.
  Result<> remove(const std::string& name) const;
  Result<std::uint64_t> usage_bytes() const;

  // The folders for RootfsSpec, lowest first. user: who needs them (a container's id, unique in
  // owner); they stay until released, whatever happens to the names.
  Result<std::vector<std::string>> hold(const Image& image, const std::string& owner,
                                        const std::string& user) const;
  Result<> release(const std::string& owner, const std::string& user) const;
  // Users of this owner that are not listed have gone without a word.
  Result<> release_others(const std::string& owner, const std::vector<std::string>& users) const;
  // Deletes what nobody holds; returns the bytes. remove() does it by itself, release does not.
  Result<std::uint64_t> sweep() const;

  struct Impl;  // image_files.h

 private:
  explicit ImageStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace keelson::isolation
