// Archives through libarchive's writer, documents by hand.
#include "tests/isolation/image_maker.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/core.h>

#include "isolation/digest.h"

namespace keelson::isolation {
namespace {

la_ssize_t append(archive*, void* out, const void* bytes, std::size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

int type_of(char type) {
  switch (type) {
    case 'd':
      return AE_IFDIR;
    case 'l':
      return AE_IFLNK;
    case 'c':
      return AE_IFCHR;
    case 'b':
      return AE_IFBLK;
    case 'p':
      return AE_IFIFO;
    default:
      return AE_IFREG;
  }
}

struct Layers {
  std::string diff_ids;  // JSON list of digests
  std::vector<std::string> tars, blobs;
};

const char* suffix_of(Squeeze how) {
  return how == Squeeze::Gzip ? "+gzip" : how == Squeeze::Zstd ? "+zstd" : "";
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

Layers make_layers(const ImageSpec& spec) {
  Layers layers;
  std::vector<std::string> ids;
  for (const auto& entries : spec.layers) {
    layers.tars.push_back(make_tar(entries));
    layers.blobs.push_back(squeeze(layers.tars.back(), spec.squeezed));
    ids.push_back("\"sha256:" + sha256_of(layers.tars.back()) + "\"");
  }
  layers.diff_ids = joined(ids);
  return layers;
}

std::string make_config(const ImageSpec& spec, const Layers& layers) {
  return fmt::format(R"({{"architecture":"{}","os":"linux","config":{},)"
                     R"("rootfs":{{"type":"layers","diff_ids":[{}]}}}})",
                     spec.machine, spec.config, layers.diff_ids);
}

}  // namespace

std::string make_tar(const std::vector<TarEntry>& entries) {
  std::string bytes;
  archive* out = archive_write_new();
  archive_write_set_format_pax_restricted(out);
  archive_write_set_bytes_per_block(out, 0);
  archive_write_open(out, &bytes, nullptr, append, nullptr);
  for (const auto& each : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, each.path.c_str());
    archive_entry_set_perm(entry, static_cast<mode_t>(each.mode));
    archive_entry_set_uid(entry, each.uid);
    archive_entry_set_gid(entry, each.gid);
    archive_entry_set_mtime(entry, 1'700'000'000, 0);
    archive_entry_set_filetype(entry, static_cast<unsigned>(type_of(each.type)));
    if (each.type == 'l') archive_entry_set_symlink(entry, each.target.c_str());
    if (each.type == 'h') archive_entry_set_hardlink(entry, each.target.c_str());
    if (each.type == 'f') archive_entry_set_size(entry, static_cast<la_int64_t>(each.text.size()));
    if (each.type == 'c' || each.type == 'b') archive_entry_set_rdev(entry, 0x103);
    for (const auto& [name, value] : each.xattrs) {
      archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), value.size());
    }
    archive_write_header(out, entry);
    if (each.type == 'f') archive_write_data(out, each.text.data(), each.text.size());
    archive_entry_free(entry);
  }
  archive_write_free(out);
  return bytes;
}

std::string squeeze(const std::string& bytes, Squeeze how) {
  if (how == Squeeze::None) return bytes;
  std::string squeezed;
  archive* out = archive_write_new();
  archive_write_set_format_raw(out);
  archive_write_set_bytes_per_block(out, 0);
  if (how == Squeeze::Gzip) archive_write_add_filter_gzip(out);
  if (how == Squeeze::Zstd) archive_write_add_filter_zstd(out);
  archive_write_open(out, &squeezed, nullptr, append, nullptr);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_write_header(out, entry);
  archive_write_data(out, bytes.data(), bytes.size());
  archive_entry_free(entry);
  archive_write_free(out);
  return squeezed;
}

std::vector<TarEntry> oci_layout(const ImageSpec& spec) {
  const Layers layers = make_layers(spec);
  std::vector<TarEntry> files = {
      {.path = "oci-layout", .text = R"({"imageLayoutVersion":"1.0.0"})"}};
  const auto add_blob = [&](const std::string& bytes) {
    const std::string digest = sha256_of(bytes);
    files.push_back({.path = "blobs/sha256/" + digest, .text = bytes});
    return fmt::format(R"("digest":"sha256:{}","size":{})", digest, bytes.size());
  };
  std::vector<std::string> descriptors;
  const std::string media = "application/vnd.oci.image.";
  for (const auto& blob : layers.blobs) {
    descriptors.push_back(fmt::format(R"({{"mediaType":"{}layer.v1.tar{}",{}}})", media,
                                      suffix_of(spec.squeezed), add_blob(blob)));
  }
  const std::string manifest =
      fmt::format(R"({{"schemaVersion":2,"mediaType":"{0}manifest.v1+json","config":{{)"
                  R"("mediaType":"{0}config.v1+json",{1}}},"layers":[{2}]}})",
                  media, add_blob(make_config(spec, layers)), joined(descriptors));
  const std::string reference =
      spec.name.empty()
          ? ""
          : fmt::format(R"(,"annotations":{{"org.opencontainers.image.ref.name":"{}"}})",
                        spec.name);
  files.push_back({.path = "index.json",
                   .text = fmt::format(R"({{"schemaVersion":2,"manifests":[{{{}{}}}]}})",
                                       add_blob(manifest), reference)});
  return files;
}

std::string make_oci_archive(const ImageSpec& spec) {
  return make_tar(oci_layout(spec));
}

std::string make_docker_archive(const ImageSpec& spec) {
  const Layers layers = make_layers(spec);
  const std::string config = make_config(spec, layers);
  std::vector<TarEntry> files;
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < layers.tars.size(); ++i) {
    // As skopeo and old dockers: a file, and a link to it where another image's tool looks.
    const std::string path = sha256_of(layers.tars[i]) + ".tar";
    files.push_back({.path = path, .text = layers.tars[i]});
    const std::string linked = fmt::format("layer{}/layer.tar", i);
    files.push_back({.path = linked, .type = 'l', .target = "../" + path});
    paths.push_back("\"" + linked + "\"");
  }
  files.push_back({.path = sha256_of(config) + ".json", .text = config});
  files.push_back(
      {.path = "manifest.json",
       .text = fmt::format(R"([{{"Config":"{}.json","RepoTags":["{}"],"Layers":[{}]}}])",
                           sha256_of(config), spec.name, joined(paths))});
  return make_tar(files);
}

}  // namespace keelson::isolation
