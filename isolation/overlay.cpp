// overlayfs by the new mount API.
#include "isolation/overlay.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <thread>

namespace keelson::isolation {
namespace {

constexpr std::size_t value_max = 255;  // fsconfig(2) takes no longer ones

// "e overlay: why\n…": what the file system has to say about a failed step.
std::string words_of(Kernel& kernel, int context) {
  char text[512];
  const long got = kernel.read(context, text, sizeof text);
  if (got <= 0) return {};
  std::string words(text, static_cast<std::size_t>(got));
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return " (" + words + ")";
}

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// "c:b:a": highest first. Relative to where all of them lie, if they do.
std::string join_layers(const RootfsSpec& rootfs, std::string_view below) {
  std::string joined;
  for (auto layer = rootfs.layers.rbegin(); layer != rootfs.layers.rend(); ++layer) {
    if (!joined.empty()) joined += ':';
    joined += below.empty() ? *layer : layer->substr(below.size() + 1);
  }
  return joined;
}

bool are_siblings(const RootfsSpec& rootfs) {
  for (const auto& layer : rootfs.layers) {
    if (parent_of(layer) != parent_of(rootfs.layers.front())) return false;
  }
  return true;
}

int set_layers(Kernel& kernel, int context, const RootfsSpec& rootfs, const std::string& joined) {
  if (joined.size() <= value_max) return kernel.fs_set(context, "lowerdir", joined.c_str());
  for (auto layer = rootfs.layers.rbegin(); layer != rootfs.layers.rend(); ++layer) {
    const int result = kernel.fs_set(context, "lowerdir+", layer->c_str());  // Linux 6.5
    if (result < 0) return result;
  }
  return 0;
}

Result<Fd> mount_joined(const RootfsSpec& rootfs, const std::string& joined, Kernel& kernel) {
  const Fd context(kernel.fs_open("overlay"));
  if (!context) return fail_errno(-context.get(), "open an overlay");
  const std::string upper = rootfs.writable_folder + "/upper";
  const std::string work = rootfs.writable_folder + "/work";
  int result = kernel.fs_set(context.get(), "source", "overlay");
  if (result >= 0) result = set_layers(kernel, context.get(), rootfs, joined);
  if (result >= 0) result = kernel.fs_set(context.get(), "upperdir", upper.c_str());
  if (result >= 0) result = kernel.fs_set(context.get(), "workdir", work.c_str());
  if (result >= 0) result = kernel.fs_set(context.get(), "volatile", nullptr);
  if (result >= 0) result = kernel.fs_create(context.get());
  if (result < 0) {
    return fail_errno(-result, "mount {} layers over {}{}", rootfs.layers.size(),
                      rootfs.writable_folder, words_of(kernel, context.get()));
  }
  Fd mount(kernel.fs_mount(context.get(), MOUNT_ATTR_RELATIME));
  if (!mount) return fail_errno(-mount.get(), "mount {}", rootfs.writable_folder);
  return mount;
}

// Many layers fit only by short names, from the folder they lie in. A thread of its own has a
// working directory of its own.
Result<Fd> mount_from_folder(const RootfsSpec& rootfs, Kernel& kernel) {
  const std::string folder = parent_of(rootfs.layers.front());
  Result<Fd> mount = fail(Reason::InternalError, "not tried");
  std::thread([&] {
    if (unshare(CLONE_FS) < 0 || chdir(folder.c_str()) < 0) {
      mount = fail_errno(errno, "enter {}", folder);
    } else {
      mount = mount_joined(rootfs, join_layers(rootfs, folder), kernel);
    }
  }).join();
  return mount;
}

}  // namespace

Result<Fd> mount_overlay(const RootfsSpec& rootfs, Kernel& kernel) {
  if (rootfs.layers.empty()) return fail(Reason::Invalid, "an image without layers");
  for (const auto& layer : rootfs.layers) {
    if (layer.find_first_of(":,\\") != std::string::npos || !layer.starts_with('/')) {
      return fail(Reason::Invalid, "layer {}: want a path without ':', ',' and '\\'", layer);
    }
  }
  for (const char* name : {"upper", "work"}) {
    const int made =
        kernel.make_folder(AT_FDCWD, (rootfs.writable_folder + "/" + name).c_str(), 0755);
    if (made < 0) return fail_errno(-made, "make {}/{}", rootfs.writable_folder, name);
  }
  const std::string joined = join_layers(rootfs, "");
  if (joined.size() > value_max && are_siblings(rootfs)) return mount_from_folder(rootfs, kernel);
  return mount_joined(rootfs, joined, kernel);
}

}  // namespace keelson::isolation
