// Requests from JSON, answers to text.
#include "tests/control/registry/fixture.h"

#include <fmt/ranges.h>
#include <google/protobuf/message.h>

#include <cassert>

#include "api/proto/core/v1/namespace.pb.h"
#include "api/proto/core/v1/service_account.pb.h"

namespace keelson {
namespace {

struct Parsed {
  Target target;
  std::unique_ptr<Message> message;
};

std::string text_at(const json::value& tree, std::string_view pointer) {
  boost::system::error_code error;
  const json::value* found = tree.find_pointer(pointer, error);
  return found && found->is_string() ? std::string(found->get_string()) : "";
}

// kind_of names a body that is not the target itself (Scale, Binding): "deployments.apps".
Parsed parse(std::string_view text, std::string_view subresource) {
  auto document = parse_json(text);
  assert(document);
  const json::object& tree = document->tree.as_object();
  std::string name_space = text_at(document->tree, "/metadata/namespace");
  const std::string name = text_at(document->tree, "/metadata/name");
  const Kind* kind =
      find_kind(text_at(document->tree, "/apiVersion"), text_at(document->tree, "/kind"));
  if (subresource == "scale") kind = &kinds::deployment();
  if (subresource == "binding") kind = &kinds::pod();
  assert(kind);
  if (kind->namespaced() && name_space.empty()) name_space = "default";
  auto message = body_kind(*kind, subresource).make_message();
  std::vector<std::string> unknown;
  const auto read = message_from_json(tree, *message, unknown);
  assert(read && unknown.empty());
  return {{*kind, name_space, name, std::string(subresource)}, std::move(message)};
}

// "pods default/web", "nodes n1", "deployments.apps default/web/scale".
Target target_of(std::string_view what) {
  const auto space = what.find(' ');
  const std::string resource(what.substr(0, space));
  for (const Kind* kind : all_kinds()) {
    if (kind->qualified_resource() != resource) continue;
    std::string_view rest = space == std::string_view::npos ? "" : what.substr(space + 1);
    Target target{*kind, "", ""};
    if (kind->namespaced()) {
      target.name_space = rest.substr(0, rest.find('/'));
      rest.remove_prefix(std::min(rest.size(), target.name_space.size() + 1));
    }
    const auto slash = rest.find('/');
    target.name = rest.substr(0, slash);
    if (slash != std::string_view::npos) target.subresource = rest.substr(slash + 1);
    return target;
  }
  assert(false && "no such resource");
}

void put(Store& store, const Kind& kind, Message& message) {
  meta::ObjectMeta& metadata = mutable_metadata_of(message);
  metadata.set_uid("uid-of-" + std::string(kind.plural) + "-" + metadata.name());
  metadata.set_resourceversion(std::to_string(store.next_revision()));
  const auto done = store.put(make_object(kind, message));
  assert(done);
}

}  // namespace

RegistryFixture::RegistryFixture() {
  restart();
  make_namespace("default");
  make_service_account("default");
}

void RegistryFixture::restart() {
  registry.reset();
  store.reset();
  disk.crash(false);
  store = std::make_unique<Store>(loop, disk, limits, [](const Error&) { assert(false); });
  const auto loaded = store->load();
  assert(loaded);
  registry = std::make_unique<Registry>(*store, loop, random, limits);
}

Result<Answer> RegistryFixture::create(std::string_view json, std::string_view subresource) {
  Parsed parsed = parse(json, subresource);
  return registry->create(parsed.target, std::move(parsed.message), context);
}

Result<Answer> RegistryFixture::update(std::string_view json, std::string_view subresource) {
  Parsed parsed = parse(json, subresource);
  return registry->update(parsed.target, std::move(parsed.message), context);
}

Result<Answer> RegistryFixture::patch(std::string_view what, PatchType type,
                                      std::string_view json) {
  auto document = parse_json(json);
  assert(document);
  return registry->patch(target_of(what), type, *document, context);
}

Result<Answer> RegistryFixture::remove(std::string_view what, const DeleteOptions& options) {
  return registry->remove(target_of(what), options, context);
}

Result<Answer> RegistryFixture::get(std::string_view what, std::string_view resource_version) {
  return registry->get(target_of(what), resource_version);
}

Result<ListAnswer> RegistryFixture::list(std::string_view resource, const ListQuery& query) {
  return registry->list(target_of(resource).kind, query);
}

ObjectPtr RegistryFixture::find(std::string_view what) {
  const Target target = target_of(what);
  return store->view().get(target.kind, target.name_space, target.name);
}

void RegistryFixture::make_namespace(std::string_view name) {
  core::Namespace message;
  message.mutable_metadata()->set_name(std::string(name));
  message.mutable_spec()->add_finalizers("kubernetes");
  message.mutable_status()->set_phase("Active");
  put(*store, kinds::name_space(), message);
}

void RegistryFixture::make_service_account(std::string_view name_space) {
  core::ServiceAccount message;
  message.mutable_metadata()->set_name("default");
  message.mutable_metadata()->set_namespace_(std::string(name_space));
  put(*store, kinds::service_account(), message);
}

std::string at(const ObjectPtr& object, std::string_view pointer) {
  if (!object) return "no object";
  const auto document = parse_json(object_to_json_text(*object));
  boost::system::error_code error;
  const json::value* found = document->tree.find_pointer(pointer, error);
  return found ? to_text(*found) : "";
}

std::string at(const Result<Answer>& answer, std::string_view pointer) {
  return answer ? at(answer->object, pointer) : status_of(answer);
}

std::string names_of(const std::vector<ObjectPtr>& objects) {
  std::vector<std::string> names;
  for (const auto& object : objects) names.push_back(object->name);
  return fmt::format("{}", fmt::join(names, " "));
}

bool RecordingSink::deliver(std::span<const WatchItem> delivered) {
  constexpr const char* words[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK"};
  ++deliveries;
  if (!accepts) return false;
  for (const auto& item : delivered) {
    items.push_back(item);
    events.push_back(fmt::format("{} {}@{}{}", words[static_cast<int>(item.type)],
                                 item.object ? item.object->name : "", item.revision,
                                 item.initial_end ? " end" : ""));
  }
  return true;
}

void RecordingSink::end(const Error& error) {
  events.push_back(fmt::format("END {} {}", http_status_of(error.reason), error.message));
}

std::string RecordingSink::take() {
  return fmt::format("{}", fmt::join(std::exchange(events, {}), ", "));
}

}  // namespace keelson
