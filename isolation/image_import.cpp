// Importing: what is in the archive, its documents, then its layers.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>

#include "isolation/digest.h"
#include "isolation/image_archive.h"
#include "isolation/image_files.h"
#include "isolation/layer.h"
#include "isolation/oci.h"
#include "isolation/tree.h"

namespace keelson::isolation {
namespace {

namespace json = boost::json;

#if defined(__x86_64__)
constexpr std::string_view machine = "amd64";
#elif defined(__aarch64__)
constexpr std::string_view machine = "arm64";
#endif

constexpr int index_depth_max = 4;
constexpr int link_number_max = 1'000'000;

// One image as an archive describes it.
struct Source {
  std::string config_path;
  std::string config_digest;             // "": whatever it is
  std::vector<std::string> layer_paths;  // lowest first
  std::vector<std::string> layer_digests;
  std::string manifest, manifest_digest;  // "" for docker save
  std::vector<std::string> names;
};

std::string blob_path(const std::string& digest) {
  return "blobs/sha256/" + digest;
}

std::string short_name(int number) {
  std::string name;
  for (; number > 0 || name.empty(); number /= 36) {
    name.insert(name.begin(), "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36]);
  }
  return name;
}

class Importer {
 public:
  Importer(const ImageStore::Impl& store, int folder) : store_(store), folder_(folder) {}

  Result<std::vector<Source>> find_sources() {
    // docker save writes both in one; its manifest.json has the full names.
    auto docker = read("manifest.json");
    if (docker) return docker_sources(*docker);
    auto index = read("index.json");
    if (!index) {
      return fail(Reason::Invalid, "has neither index.json nor manifest.json: is no image archive");
    }
    std::vector<Source> sources;
    auto added = add_index(*index, "", 0, sources);
    if (!added) return std::unexpected(added.error());
    if (sources.empty()) return fail(Reason::Invalid, "has no image for {}", machine);
    return sources;
  }

  Result<std::string> import(const Source& source) {
    auto bytes = read(source.config_path);
    if (!bytes) return bytes.error().during("configuration");
    const std::string id = sha256_of(*bytes);
    if (!source.config_digest.empty() && source.config_digest != id) {
      return fail(Reason::Invalid, "configuration: digest is sha256:{}, not sha256:{}", id,
                  source.config_digest);
    }
    auto config = parse_image_config(*bytes);
    if (!config) return std::unexpected(config.error());
    auto fit = check(*config, source);
    if (!fit) return std::unexpected(fit.error());
    auto size = import_layers(source, *config);
    if (!size) return std::unexpected(size.error());
    using Write = ImageStore::Impl::Write;
    Result<> written = store_.write("blobs/" + id, *bytes, Write::Quick);
    if (written && !source.manifest.empty()) {
      written = store_.write("blobs/" + source.manifest_digest, source.manifest, Write::Quick);
    }
    // All of it is on disk before the first record leads to it.
    if (written && syncfs(store_.fd.get()) < 0) written = fail_errno(errno, "sync the store");
    if (written) written = store_.write("images/" + id, record(source, *size), Write::Durable);
    if (!written) return std::unexpected(written.error());
    return id;
  }

 private:
  Result<std::string> read(const std::string& path) const {
    return read_below(folder_, path, store_.limits.document_bytes);
  }

  static Result<> check(const OciConfig& config, const Source& source) {
    if (!config.system.empty() && config.system != "linux") {
      return fail(Reason::Invalid, "is for {}, not linux", config.system);
    }
    if (!config.machine.empty() && config.machine != machine) {
      return fail(Reason::Invalid, "is for {}, not {}", config.machine, machine);
    }
    if (config.diff_ids.size() != source.layer_paths.size()) {
      return fail(Reason::Invalid, "{} layers, but {} in its configuration",
                  source.layer_paths.size(), config.diff_ids.size());
    }
    if (config.diff_ids.empty()) return fail(Reason::Invalid, "has no layers");
    return {};
  }

  Result<std::vector<Source>> docker_sources(const std::string& text) const {
    auto images = parse_docker_manifest(text);
    if (!images) return std::unexpected(images.error());
    std::vector<Source> sources;
    for (const auto& image : *images) {
      sources.push_back({.config_path = image.config,
                         .layer_paths = image.layers,
                         .layer_digests = std::vector<std::string>(image.layers.size()),
                         .names = image.names});
    }
    return sources;
  }

  Result<> add_index(const std::string& text, const std::string& name, int depth,
                     std::vector<Source>& sources) const {
    if (depth > index_depth_max) return fail(Reason::Invalid, "index: nested too deep");
    auto descriptors = parse_index(text);
    if (!descriptors) return std::unexpected(descriptors.error());
    for (const auto& descriptor : *descriptors) {
      if (!descriptor.machine.empty() && descriptor.machine != machine) continue;
      auto bytes = read(blob_path(descriptor.digest));
      if (!bytes) return bytes.error().during("manifest");
      if (sha256_of(*bytes) != descriptor.digest) {
        return fail(Reason::Invalid, "manifest sha256:{}: digest does not fit", descriptor.digest);
      }
      const std::string own_name = descriptor.name.empty() ? name : descriptor.name;
      auto added = descriptor.is_index()
                       ? add_index(*bytes, own_name, depth + 1, sources)
                       : add_manifest(*bytes, descriptor.digest, own_name, sources);
      if (!added) return added;
    }
    return {};
  }

  static Result<> add_manifest(const std::string& bytes, const std::string& digest,
                               const std::string& name, std::vector<Source>& sources) {
    auto manifest = parse_manifest(bytes);
    if (!manifest) return std::unexpected(manifest.error());
    Source source{.config_path = blob_path(manifest->config),
                  .config_digest = manifest->config,
                  .layer_digests = manifest->layers,
                  .manifest = bytes,
                  .manifest_digest = digest};
    for (const auto& layer : manifest->layers) source.layer_paths.push_back(blob_path(layer));
    // A bare tag is no name.
    if (name.contains('/') || name.contains(':')) source.names = {name};
    sources.push_back(std::move(source));
    return {};
  }

  Result<std::uint64_t> import_layers(const Source& source, const OciConfig& config) {
    if (config.diff_ids.size() > static_cast<std::size_t>(store_.limits.layers)) {
      return fail(Reason::Invalid, "{} layers, at most {}", config.diff_ids.size(),
                  store_.limits.layers);
    }
    std::uint64_t bytes = 0;
    std::vector<Fd> lower;  // highest first
    for (std::size_t i = 0; i < config.diff_ids.size(); ++i) {
      auto size = import_layer(source, i, config.diff_ids[i], lower, bytes);
      if (!size) return size.error().during("layer {}", i + 1);
      bytes += *size;
      auto folder =
          open_below(store_.fd.get(), "layers/" + config.diff_ids[i] + "/fs", O_PATH | O_DIRECTORY);
      if (!folder) return std::unexpected(folder.error());
      lower.insert(lower.begin(), std::move(*folder));
    }
    return bytes;
  }

  Result<std::uint64_t> import_layer(const Source& source, std::size_t index,
                                     const std::string& diff_id, const std::vector<Fd>& lower,
                                     std::uint64_t bytes_before) {
    if (const auto size = store_.read("layers/" + diff_id + "/size")) {
      return std::strtoull(size->c_str(), nullptr, 10);
    }
    auto blob = open_below(folder_, source.layer_paths[index], O_RDONLY | O_NONBLOCK);
    if (!blob) return std::unexpected(blob.error());
    std::string temporary;
    auto folder = store_.make_temporary(&temporary);
    if (!folder) return std::unexpected(folder.error());
    auto unpacked = unpack_into(*blob, source.layer_digests[index], diff_id, folder->get(), lower,
                                bytes_before);
    if (unpacked) unpacked = place(temporary, diff_id, *unpacked);
    if (!unpacked) (void)remove_below(store_.fd.get(), temporary);
    return unpacked;
  }

  Result<std::uint64_t> unpack_into(const Fd& blob, const std::string& blob_digest,
                                    const std::string& diff_id, int folder,
                                    const std::vector<Fd>& lower, std::uint64_t bytes_before) {
    if (mkdirat(folder, "fs", 0755) < 0) return fail_errno(errno, "make a layer");
    auto fs = open_below(folder, "fs", O_RDONLY | O_DIRECTORY);
    if (!fs) return std::unexpected(fs.error());
    fchmod(fs->get(), 0755);
    std::vector<int> lower_fds;
    for (const auto& fd : lower) lower_fds.push_back(fd.get());
    ImageLimits limits = store_.limits;
    limits.image_bytes -= std::min(limits.image_bytes, bytes_before);
    auto layer = unpack_layer({blob.get(), blob_digest, diff_id}, fs->get(), lower_fds, limits);
    if (!layer) return std::unexpected(layer.error());
    return layer->bytes;
  }

  // Gives it its short link and makes it appear, whole. Another importer may have been faster.
  Result<std::uint64_t> place(const std::string& temporary, const std::string& diff_id,
                              std::uint64_t bytes) {
    using Write = ImageStore::Impl::Write;
    const std::string target = "../layers/" + diff_id + "/fs";
    auto links = store_.list("l");
    if (!links) return std::unexpected(links.error());
    std::string link;
    for (auto number = static_cast<int>(links->size()); number < link_number_max; ++number) {
      link = "l/" + short_name(number);
      if (symlinkat(target.c_str(), store_.fd.get(), link.c_str()) == 0) break;
      if (errno != EEXIST) return fail_errno(errno, "make {}", link);
    }
    auto written = store_.write(temporary + "/size", std::to_string(bytes), Write::Quick);
    if (written) written = store_.write(temporary + "/link", link.substr(2), Write::Quick);
    const std::string to = "layers/" + diff_id;
    if (written && renameat(store_.fd.get(), temporary.c_str(), store_.fd.get(), to.c_str()) < 0) {
      if (errno != EEXIST && errno != ENOTEMPTY) written = fail_errno(errno, "place {}", to);
      unlinkat(store_.fd.get(), link.c_str(), 0);
      (void)remove_below(store_.fd.get(), temporary);
    }
    if (!written) return std::unexpected(written.error());
    return bytes;
  }

  static std::string record(const Source& source, std::uint64_t bytes) {
    const json::object object{
        {"manifest", source.manifest_digest.empty() ? "" : "sha256:" + source.manifest_digest},
        {"size", bytes},
        {"imported", SystemClock().wall().time_since_epoch().count()}};
    return json::serialize(object);
  }

  const ImageStore::Impl& store_;
  int folder_;
};

Result<std::vector<Image>> import_folder(const ImageStore::Impl& store, int folder,
                                         const std::string& name) {
  Importer importer(store, folder);
  auto sources = importer.find_sources();
  if (!sources) return std::unexpected(sources.error());
  if (!name.empty() && sources->size() != 1) {
    return fail(Reason::Invalid, "has {} images, which cannot all be {}", sources->size(), name);
  }
  std::vector<Image> images;
  for (auto& source : *sources) {
    if (!name.empty()) source.names = {name};
    if (source.names.empty()) {
      return fail(Reason::Invalid, "has an image without a name: give it one");
    }
    auto id = importer.import(source);
    if (!id) return std::unexpected(id.error());
    auto image = store.image_of(*id);
    if (!image) return std::unexpected(image.error());
    for (const auto& each : source.names) {
      auto named = store.name(each, *id);
      if (!named) return std::unexpected(named.error());
      image->names.push_back(*normalize_image_name(each));
    }
    images.push_back(std::move(*image));
  }
  return images;
}

}  // namespace

Result<std::vector<Image>> ImageStore::import(const std::string& source,
                                              const std::string& name) const {
  Fd file(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file || fstat(file.get(), &status) < 0) return fail_errno(errno, "import {}", source);
  Result<std::vector<Image>> images;
  if (S_ISDIR(status.st_mode)) {
    auto lock = impl_->lock(Impl::Lock::Shared);
    images = lock ? import_folder(*impl_, file.get(), name) : std::unexpected(lock.error());
  } else {
    images = import(std::move(file), name);
  }
  return images ? std::move(images) : images.error().during("import {}", source);
}

Result<std::vector<Image>> ImageStore::import(Fd archive, const std::string& name) const {
  auto lock = impl_->lock(Impl::Lock::Shared);
  if (!lock) return std::unexpected(lock.error());
  std::string temporary;
  auto folder = impl_->make_temporary(&temporary);
  if (!folder) return std::unexpected(folder.error());
  auto unpacked = unpack_archive(archive.get(), folder->get(), impl_->limits.archive_bytes);
  auto images = unpacked ? import_folder(*impl_, folder->get(), name)
                         : Result<std::vector<Image>>(std::unexpected(unpacked.error()));
  (void)remove_below(impl_->fd.get(), temporary);
  return images;
}

}  // namespace keelson::isolation
