// Each call is the request a component would send.
#include "control/registry/registry_writer.h"

#include <google/protobuf/message.h>

#include "api/proto/core/v1/pod_options.pb.h"
#include "api/proto/meta/v1/object_meta.pb.h"

namespace keelson {
namespace {

std::unique_ptr<Message> copy_of(const Message& message) {
  std::unique_ptr<Message> copy(message.New());
  copy->CopyFrom(message);
  return copy;
}

Target target_of(const Kind& kind, const Message& message, std::string_view subresource = {}) {
  const meta::ObjectMeta& metadata = metadata_of(message);
  return {kind, metadata.namespace_(), metadata.name(), std::string(subresource)};
}

Target target_of(const Kind& kind, std::string_view key, std::string_view subresource = {}) {
  const auto [name_space, name] = split_key(key);
  return {kind, std::string(name_space), std::string(name), std::string(subresource)};
}

Result<ObjectPtr> object_of(Result<Answer> answer) {
  if (!answer) return std::unexpected(std::move(answer.error()));
  return std::move(answer->object);
}

}  // namespace

RegistryWriter::RegistryWriter(Registry& registry, std::string user, std::string manager)
    : registry_(registry), user_(std::move(user)), manager_(std::move(manager)) {}

RequestContext RegistryWriter::context() const {
  return {.user = user_, .field_manager = manager_};
}

Result<ObjectPtr> RegistryWriter::create(const Kind& kind, const Message& message) {
  RequestContext asked = context();
  Target target = target_of(kind, message);
  target.name.clear();
  return object_of(registry_.create(target, copy_of(message), asked));
}

Result<ObjectPtr> RegistryWriter::update(const Kind& kind, const Message& message) {
  return update_through(kind, message, "");
}

Result<ObjectPtr> RegistryWriter::update_status(const Kind& kind, const Message& message) {
  return update_through(kind, message, "status");
}

Result<ObjectPtr> RegistryWriter::finalize(const Message& name_space) {
  return update_through(kinds::name_space(), name_space, "finalize");
}

Result<ObjectPtr> RegistryWriter::update_through(const Kind& kind, const Message& message,
                                                 std::string_view subresource) {
  RequestContext asked = context();
  const Target target = target_of(kind, message, subresource);
  return object_of(registry_.update(target, copy_of(message), asked));
}

Result<> RegistryWriter::remove(const Kind& kind, std::string_view key,
                                const DeleteOptions& options) {
  RequestContext asked = context();
  auto answer = registry_.remove(target_of(kind, key), options, asked);
  if (!answer) return std::unexpected(answer.error());
  return {};
}

Result<> RegistryWriter::bind(std::string_view pod_key, std::string_view pod_uid,
                              std::string_view node_name) {
  RequestContext asked = context();
  auto binding = std::make_unique<core::Binding>();
  binding->mutable_metadata()->set_uid(std::string(pod_uid));
  binding->mutable_target()->set_kind("Node");
  binding->mutable_target()->set_name(std::string(node_name));
  auto answer =
      registry_.create(target_of(kinds::pod(), pod_key, "binding"), std::move(binding), asked);
  if (!answer) return std::unexpected(answer.error());
  return {};
}

}  // namespace keelson
