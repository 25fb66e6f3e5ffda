// Reading the documents with Boost.JSON.
#include "isolation/oci.h"

#include <boost/json.hpp>

#include "isolation/digest.h"

namespace keelson::isolation {
namespace {

namespace json = boost::json;

constexpr std::size_t list_max = 1024;  // manifests of an index, layers of an image

Result<json::value> parse(std::string_view text, const char* what) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 32;
  json::value value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) return fail(Reason::Invalid, "{}: {}", what, error.message());
  return value;
}

const json::object* object_in(const json::value& value) {
  return value.if_object();
}

const json::object* object_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

const json::array* array_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* array = value == nullptr ? nullptr : value->if_array();
  return array == nullptr || array->size() > list_max ? nullptr : array;
}

std::string text_in(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

std::vector<std::string> texts_in(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  const auto* array = array_in(object, key);
  if (array == nullptr) return texts;
  for (const auto& each : *array) {
    if (const auto* text = each.if_string()) texts.emplace_back(*text);
  }
  return texts;
}

// "sha256:…" → its digits, fit to be a file's name.
Result<std::string> digest_in(std::string_view text, const char* what) {
  constexpr std::string_view algorithm = "sha256:";
  if (text.starts_with(algorithm) && is_sha256(text.substr(algorithm.size()))) {
    return std::string(text.substr(algorithm.size()));
  }
  return fail(Reason::Invalid, "{}: want a sha256 digest, not \"{}\"", what, text.substr(0, 80));
}

Result<OciDescriptor> descriptor_in(const json::object& object) {
  auto digest = digest_in(text_in(object, "digest"), "index");
  if (!digest) return std::unexpected(digest.error());
  OciDescriptor descriptor{.digest = *digest, .media_type = text_in(object, "mediaType")};
  if (const auto* annotations = object_in(object, "annotations")) {
    descriptor.name = text_in(*annotations, "io.containerd.image.name");
    if (descriptor.name.empty()) {
      descriptor.name = text_in(*annotations, "org.opencontainers.image.ref.name");
    }
  }
  if (const auto* platform = object_in(object, "platform")) {
    descriptor.machine = text_in(*platform, "architecture");
  }
  return descriptor;
}

}  // namespace

bool OciDescriptor::is_index() const {
  return media_type == "application/vnd.oci.image.index.v1+json" ||
         media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

Result<std::vector<OciDescriptor>> parse_index(std::string_view text) {
  auto document = parse(text, "index");
  if (!document) return std::unexpected(document.error());
  const auto* object = object_in(*document);
  const auto* manifests = object == nullptr ? nullptr : array_in(*object, "manifests");
  if (manifests == nullptr) return fail(Reason::Invalid, "index: want an array of manifests");
  std::vector<OciDescriptor> descriptors;
  for (const auto& each : *manifests) {
    if (!each.is_object()) return fail(Reason::Invalid, "index: manifests: want objects");
    auto descriptor = descriptor_in(each.get_object());
    if (!descriptor) return std::unexpected(descriptor.error());
    descriptors.push_back(std::move(*descriptor));
  }
  return descriptors;
}

Result<OciManifest> parse_manifest(std::string_view text) {
  auto document = parse(text, "manifest");
  if (!document) return std::unexpected(document.error());
  const auto* object = object_in(*document);
  const auto* config = object == nullptr ? nullptr : object_in(*object, "config");
  const auto* layers = object == nullptr ? nullptr : array_in(*object, "layers");
  if (config == nullptr || layers == nullptr) {
    return fail(Reason::Invalid, "manifest: want config and layers");
  }
  OciManifest manifest;
  auto digest = digest_in(text_in(*config, "digest"), "manifest: config");
  if (!digest) return std::unexpected(digest.error());
  manifest.config = *digest;
  for (const auto& each : *layers) {
    if (!each.is_object()) return fail(Reason::Invalid, "manifest: layers: want objects");
    digest = digest_in(text_in(each.get_object(), "digest"), "manifest: layer");
    if (!digest) return std::unexpected(digest.error());
    manifest.layers.push_back(*digest);
  }
  return manifest;
}

Result<OciConfig> parse_image_config(std::string_view text) {
  auto document = parse(text, "image configuration");
  if (!document) return std::unexpected(document.error());
  const auto* object = object_in(*document);
  const auto* rootfs = object == nullptr ? nullptr : object_in(*object, "rootfs");
  if (rootfs == nullptr) return fail(Reason::Invalid, "image configuration: want rootfs");
  OciConfig parsed{.machine = text_in(*object, "architecture"), .system = text_in(*object, "os")};
  for (const auto& diff_id : texts_in(*rootfs, "diff_ids")) {
    auto digest = digest_in(diff_id, "image configuration: diff_ids");
    if (!digest) return std::unexpected(digest.error());
    parsed.diff_ids.push_back(*digest);
  }
  const auto* config = object_in(*object, "config");
  if (config == nullptr) return parsed;
  ImageConfig& out = parsed.config;
  out.env = texts_in(*config, "Env");
  out.entrypoint = texts_in(*config, "Entrypoint");
  out.cmd = texts_in(*config, "Cmd");
  out.user = text_in(*config, "User");
  out.working_directory = text_in(*config, "WorkingDir");
  out.stop_signal = text_in(*config, "StopSignal");
  if (const auto* ports = object_in(*config, "ExposedPorts")) {
    for (const auto& port : *ports) out.exposed_ports.emplace_back(port.key());
  }
  if (const auto* labels = object_in(*config, "Labels")) {
    for (const auto& label : *labels) {
      out.labels.emplace_back(label.key(), text_in(*labels, label.key()));
    }
  }
  return parsed;
}

Result<std::vector<DockerImage>> parse_docker_manifest(std::string_view text) {
  auto document = parse(text, "manifest.json");
  if (!document) return std::unexpected(document.error());
  const auto* array = document->if_array();
  if (array == nullptr || array->size() > list_max) {
    return fail(Reason::Invalid, "manifest.json: want an array of images");
  }
  std::vector<DockerImage> images;
  for (const auto& each : *array) {
    if (!each.is_object()) return fail(Reason::Invalid, "manifest.json: want objects");
    const auto& object = each.get_object();
    images.push_back(
        {text_in(object, "Config"), texts_in(object, "Layers"), texts_in(object, "RepoTags")});
    if (images.back().config.empty()) return fail(Reason::Invalid, "manifest.json: want Config");
  }
  return images;
}

}  // namespace keelson::isolation
