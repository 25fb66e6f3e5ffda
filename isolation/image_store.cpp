// Names, users and sweeping of the image store.
#include "isolation/image_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>
#include <set>

#include "isolation/digest.h"
#include "isolation/image_files.h"
#include "isolation/oci.h"
#include "isolation/tree.h"

namespace keelson::isolation {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr std::size_t record_bytes_max = 1 << 20;
constexpr std::string_view algorithm = "sha256:";

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
}

bool is_user(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.size() <= 128 &&
         std::ranges::all_of(name, is_plain);
}

std::string without_algorithm(const std::string& digest) {
  return digest.starts_with(algorithm) ? digest.substr(algorithm.size()) : digest;
}

}  // namespace

std::string file_name_of(std::string_view image_name) {
  std::string name;
  for (const char c : image_name) {
    if (is_plain(c) && !(name.empty() && c == '.')) {
      name += c;
    } else {
      name += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return name;
}

std::string image_name_of(std::string_view file_name) {
  std::string name;
  for (std::size_t i = 0; i < file_name.size(); ++i) {
    if (file_name[i] == '%' && i + 2 < file_name.size()) {
      name += static_cast<char>(std::stoi(std::string(file_name.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      name += file_name[i];
    }
  }
  return name;
}

std::uint64_t bytes_below(const std::string& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (auto each = fs::recursive_directory_iterator(folder, error);
       !error && each != fs::recursive_directory_iterator(); each.increment(error)) {
    if (each->is_symlink(error) || !each->is_regular_file(error)) continue;
    bytes += each->file_size(error);
  }
  return bytes;
}

ImageStore::ImageStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ImageStore::ImageStore(ImageStore&&) noexcept = default;
ImageStore& ImageStore::operator=(ImageStore&&) noexcept = default;
ImageStore::~ImageStore() = default;

Result<ImageStore> ImageStore::open(const std::string& folder, const ImageLimits& limits) {
  std::error_code error;
  for (const char* name : {"blobs", "images", "names", "layers", "l", "users", "tmp"}) {
    fs::create_directories(folder + "/" + name, error);
    if (error) return fail_errno(error.value(), "make {}/{}", folder, name);
  }
  // Its files have the images' owners and modes; nobody else has any business here.
  fs::permissions(folder, fs::perms::owner_all, error);
  auto impl = std::make_unique<Impl>();
  impl->folder = fs::absolute(folder);
  impl->limits = limits;
  impl->fd = Fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!impl->fd) return fail_errno(errno, "open {}", folder);
  return ImageStore(std::move(impl));
}

Result<Fd> ImageStore::Impl::lock(Lock how) const {
  Fd file(openat(fd.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return fail_errno(errno, "lock {}", folder);
  const int operation = how == Lock::Shared      ? LOCK_SH
                        : how == Lock::Exclusive ? LOCK_EX
                                                 : LOCK_EX | LOCK_NB;
  while (flock(file.get(), operation) < 0) {
    if (errno == EWOULDBLOCK) return fail(Reason::ServiceUnavailable, "{} is in use", folder);
    if (errno != EINTR) return fail_errno(errno, "lock {}", folder);
  }
  return file;
}

Result<std::string> ImageStore::Impl::read(const std::string& path) const {
  return read_below(fd.get(), path, record_bytes_max);
}

Result<> ImageStore::Impl::write(const std::string& path, std::string_view text, Write how) const {
  std::string temporary = folder + "/tmp/file-XXXXXX";
  const Fd file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) return fail_errno(errno, "write {}", path);
  const bool is_written =
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      (how == Write::Quick || fsync(file.get()) == 0) &&
      rename(temporary.c_str(), (folder + "/" + path).c_str()) == 0;
  if (is_written) return {};
  const int error_number = errno;
  unlink(temporary.c_str());
  return fail_errno(error_number, "write {}", path);
}

Result<std::vector<std::string>> ImageStore::Impl::list(const std::string& path) const {
  std::vector<std::string> names;
  std::error_code error;
  for (auto each = fs::directory_iterator(folder + "/" + path, error);
       !error && each != fs::directory_iterator(); each.increment(error)) {
    names.push_back(each->path().filename());
  }
  if (error && error.value() != ENOENT) return fail_errno(error.value(), "list {}", path);
  std::ranges::sort(names);
  return names;
}

Result<Fd> ImageStore::Impl::make_temporary(std::string* name) const {
  *name = folder + "/tmp/import-XXXXXX";
  if (mkdtemp(name->data()) == nullptr) return fail_errno(errno, "make {}", *name);
  Fd made(::open(name->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!made) return fail_errno(errno, "open {}", *name);
  *name = name->substr(folder.size() + 1);
  return made;
}

Result<Image> ImageStore::Impl::image_of(const std::string& id) const {
  if (!is_sha256(id)) return fail(Reason::Invalid, "image id \"{}\"", id);
  auto record = read("images/" + id);
  if (!record) return fail(Reason::NotFound, "no image with id sha256:{}", id);
  auto bytes = read("blobs/" + id);
  if (!bytes) return bytes.error().during("image sha256:{}", id);
  auto config = parse_image_config(*bytes);
  if (!config) return config.error().during("image sha256:{}", id);
  boost::system::error_code error;
  const json::value value = json::parse(*record, error);
  const auto* object = error ? nullptr : value.if_object();
  if (object == nullptr || !object->contains("size")) {
    return fail(Reason::InternalError, "image sha256:{}: its record is damaged", id);
  }
  Image image{.id = std::string(algorithm) + id, .config = std::move(config->config)};
  image.layers = std::move(config->diff_ids);
  if (const auto* manifest = object->if_contains("manifest"); manifest->is_string()) {
    image.manifest_digest = manifest->get_string();
  }
  image.size_bytes = object->at("size").to_number<std::uint64_t>(error);
  image.imported =
      WallTime(std::chrono::nanoseconds(object->at("imported").to_number<std::int64_t>(error)));
  return image;
}

Result<> ImageStore::Impl::name(const std::string& image_name, const std::string& id) const {
  auto full = normalize_image_name(image_name);
  if (!full) return std::unexpected(full.error());
  return write("names/" + file_name_of(*full), id, Write::Durable);
}

Result<Image> ImageStore::find(const std::string& name) const {
  const auto at = name.find('@');
  const std::string digest = name.starts_with(algorithm) ? name
                             : at == std::string::npos   ? ""
                                                         : name.substr(at + 1);
  if (digest.empty()) {
    auto full = normalize_image_name(name);
    if (!full) return std::unexpected(full.error());
    auto id = impl_->read("names/" + file_name_of(*full));
    if (!id) return fail(Reason::NotFound, "no image {} in the store", *full);
    auto image = impl_->image_of(*id);
    if (image) image->names = {*full};
    return image;
  }
  auto images = list();
  if (!images) return std::unexpected(images.error());
  for (auto& image : *images) {
    if (image.id == digest || image.manifest_digest == digest) return std::move(image);
  }
  return fail(Reason::NotFound, "no image {} in the store", name);
}

Result<std::vector<Image>> ImageStore::list() const {
  auto ids = impl_->list("images");
  auto names = impl_->list("names");
  if (!ids || !names) return std::unexpected((ids ? names : ids).error());
  std::vector<Image> images;
  for (const auto& id : *ids) {
    auto image = impl_->image_of(id);
    if (image) images.push_back(std::move(*image));  // else it has just been removed
  }
  for (const auto& name : *names) {
    const auto id = impl_->read("names/" + name);
    for (auto& image : images) {
      if (id && image.id == std::string(algorithm) + *id) {
        image.names.push_back(image_name_of(name));
      }
    }
  }
  return images;
}

Result<> ImageStore::tag(const std::string& image, const std::string& new_name) const {
  auto lock = impl_->lock(Impl::Lock::Shared);
  if (!lock) return std::unexpected(lock.error());
  auto found = find(image);
  if (!found) return std::unexpected(found.error());
  return impl_->name(new_name, without_algorithm(found->id));
}

Result<> ImageStore::remove(const std::string& name) const {
  auto found = find(name);
  if (!found) return std::unexpected(found.error());
  auto image = find(found->id);  // with all its names
  if (!image) return std::unexpected(image.error());
  const bool is_id = name.starts_with(algorithm);
  for (const auto& each : is_id ? image->names : found->names) {
    const std::string path = "names/" + file_name_of(each);
    if (unlinkat(impl_->fd.get(), path.c_str(), 0) < 0 && errno != ENOENT) {
      return fail_errno(errno, "remove name {}", each);
    }
  }
  auto lock = impl_->lock(Impl::Lock::ExclusiveAtOnce);
  if (!lock) return {};  // who is in there now sweeps, or the next one
  auto swept = impl_->sweep_locked();
  return swept ? Result<>() : std::unexpected(swept.error());
}

Result<std::uint64_t> ImageStore::usage_bytes() const {
  auto layers = impl_->list("layers");
  if (!layers) return std::unexpected(layers.error());
  std::uint64_t bytes = 0;
  for (const auto& layer : *layers) {
    const auto size = impl_->read("layers/" + layer + "/size");
    if (size) bytes += std::strtoull(size->c_str(), nullptr, 10);
  }
  return bytes;
}

Result<std::vector<std::string>> ImageStore::hold(const Image& image, const std::string& owner,
                                                  const std::string& user) const {
  if (!is_user(owner) || !is_user(user)) {
    return fail(Reason::Invalid, "image user {}/{}: bad name", owner, user);
  }
  auto lock = impl_->lock(Impl::Lock::Shared);
  if (!lock) return std::unexpected(lock.error());
  const std::string id = without_algorithm(image.id);
  auto found = impl_->image_of(id);
  if (!found) return std::unexpected(found.error());
  std::vector<std::string> folders;
  for (const auto& layer : found->layers) {
    auto link = impl_->read("layers/" + layer + "/link");
    if (!link) return link.error().during("image {}", image.id);
    folders.push_back(impl_->folder + "/l/" + *link);
  }
  const std::string folder = "users/" + owner;
  if (mkdirat(impl_->fd.get(), folder.c_str(), 0700) < 0 && errno != EEXIST) {
    return fail_errno(errno, "make {}", folder);
  }
  auto written = impl_->write(folder + "/" + user, id, Impl::Write::Quick);
  if (!written) return std::unexpected(written.error());
  return folders;
}

Result<> ImageStore::release(const std::string& owner, const std::string& user) const {
  if (!is_user(owner) || !is_user(user)) return {};
  const std::string path = "users/" + owner + "/" + user;
  if (unlinkat(impl_->fd.get(), path.c_str(), 0) < 0 && errno != ENOENT) {
    return fail_errno(errno, "release {}", path);
  }
  return {};
}

Result<> ImageStore::release_others(const std::string& owner,
                                    const std::vector<std::string>& users) const {
  if (!is_user(owner)) return fail(Reason::Invalid, "image owner {}: bad name", owner);
  auto all = impl_->list("users/" + owner);
  if (!all) return std::unexpected(all.error());
  const std::set<std::string> kept(users.begin(), users.end());
  for (const auto& user : *all) {
    if (kept.contains(user)) continue;
    auto released = release(owner, user);
    if (!released) return released;
  }
  return {};
}

Result<std::uint64_t> ImageStore::sweep() const {
  auto lock = impl_->lock(Impl::Lock::Exclusive);
  if (!lock) return std::unexpected(lock.error());
  return impl_->sweep_locked();
}

}  // namespace keelson::isolation
