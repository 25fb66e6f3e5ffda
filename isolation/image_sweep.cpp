// Mark and sweep: what no name and no user leads to is deleted. Nobody else is in the store.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "isolation/image_files.h"
#include "isolation/tree.h"

namespace keelson::isolation {
namespace {

struct Marked {
  std::set<std::string> images, layers, links, blobs;
};

class Sweep {
 public:
  explicit Sweep(const ImageStore::Impl& store) : store_(store) {}

  Result<std::uint64_t> run() {
    Result<> result = mark_names();
    if (result) result = mark_users();
    if (result) result = mark_images();
    if (result) result = sweep_files("images", marked_.images);
    if (result) result = sweep_layers();
    if (result) result = sweep_files("l", marked_.links);
    if (result) result = sweep_files("blobs", marked_.blobs);
    if (result) result = sweep_files("tmp", {});
    if (!result) return std::unexpected(result.error());
    return freed_;
  }

 private:
  Result<> mark_in(const std::string& folder) {
    auto files = store_.list(folder);
    if (!files) return std::unexpected(files.error());
    for (const auto& file : *files) {
      const auto id = store_.read(folder + "/" + file);
      if (id) marked_.images.insert(*id);
    }
    return {};
  }
  Result<> mark_names() { return mark_in("names"); }
  Result<> mark_users() {
    auto owners = store_.list("users");
    if (!owners) return std::unexpected(owners.error());
    for (const auto& owner : *owners) {
      auto marked = mark_in("users/" + owner);
      if (!marked) return marked;
    }
    return {};
  }
  Result<> mark_images() {
    for (const auto& id : marked_.images) {
      auto image = store_.image_of(id);
      if (!image && image.error().reason == Reason::NotFound) continue;
      if (!image) return std::unexpected(image.error());
      marked_.blobs.insert(id);
      if (!image->manifest_digest.empty()) marked_.blobs.insert(image->manifest_digest.substr(7));
      marked_.layers.insert(image->layers.begin(), image->layers.end());
    }
    return {};
  }

  Result<> sweep_files(const std::string& folder, const std::set<std::string>& kept) {
    auto files = store_.list(folder);
    if (!files) return std::unexpected(files.error());
    auto opened = open_below(store_.fd.get(), folder, O_RDONLY | O_DIRECTORY);
    if (!opened) return std::unexpected(opened.error());
    for (const auto& file : *files) {
      if (kept.contains(file)) continue;
      auto removed = remove_below(opened->get(), file);
      if (!removed) return removed;
    }
    return {};
  }

  Result<> sweep_layers() {
    auto layers = store_.list("layers");
    if (!layers) return std::unexpected(layers.error());
    for (const auto& layer : *layers) {
      const auto link = store_.read("layers/" + layer + "/link");
      if (marked_.layers.contains(layer)) {
        if (link) marked_.links.insert(*link);
        continue;
      }
      const auto size = store_.read("layers/" + layer + "/size");
      if (size) freed_ += std::strtoull(size->c_str(), nullptr, 10);
      // Out of sight first: half a layer must never be taken for one.
      const std::string from = "layers/" + layer;
      const std::string to = "tmp/swept-" + layer;
      if (renameat(store_.fd.get(), from.c_str(), store_.fd.get(), to.c_str()) < 0) {
        return fail_errno(errno, "remove layer {}", layer);
      }
    }
    return {};
  }

  const ImageStore::Impl& store_;
  Marked marked_;
  std::uint64_t freed_ = 0;
};

}  // namespace

Result<std::uint64_t> ImageStore::Impl::sweep_locked() const {
  return Sweep(*this).run();
}

}  // namespace keelson::isolation
