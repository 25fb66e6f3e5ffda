// A registry over a simulated disk, and requests written as JSON.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/registry/registry.h"
#include "control/registry/watch.h"
#include "tests/sim_disk.h"
#include "tests/sim_loop.h"

namespace keelson {

struct RegistryFixture {
  RegistryFixture();
  void restart();  // what is not durable is lost
  void settle() {  // everything written becomes durable and is told
    while (store->durable_revision() < store->revision()) loop.advance();
    loop.settle();
  }

  // The JSON names kind, namespace and name; a namespaced one without a namespace is put into
  // "default".
  Result<Answer> create(std::string_view json, std::string_view subresource = {});
  Result<Answer> update(std::string_view json, std::string_view subresource = {});
  // what: "pods default/web", "deployments.apps default/web/scale".
  Result<Answer> patch(std::string_view what, PatchType type, std::string_view json);
  Result<Answer> remove(std::string_view what, const DeleteOptions& options = {});
  Result<Answer> get(std::string_view what, std::string_view resource_version = {});
  Result<ListAnswer> list(std::string_view resource, const ListQuery& query = {});
  ObjectPtr find(std::string_view what);  // null: not there

  // Made without a request, so that a test of something else does not hang on its rules.
  void make_namespace(std::string_view name);
  void make_service_account(std::string_view name_space);

  SimLoop loop;
  SimDisk disk{loop};
  Limits limits;
  SeededRandom random{1};
  std::unique_ptr<Store> store;
  std::unique_ptr<Registry> registry;
  RequestContext context{.user = "alice", .field_manager = "tester"};
};

// The Status a request is answered with: "404 NotFound: pods "x" not found"; "ok" if it succeeded.
template <typename T>
std::string status_of(const Result<T>& result) {
  if (result) return "ok";
  const Error& error = result.error();
  return fmt::format("{} {}: {}", http_status_of(error.reason), to_string(error.reason),
                     error.message);
}

// A value of the object's JSON by pointer, as JSON text: at(object, "/metadata/name") is "\"web\"";
// "" if it is not there.
std::string at(const ObjectPtr& object, std::string_view pointer);
std::string at(const Result<Answer>& answer, std::string_view pointer);
std::string names_of(const std::vector<ObjectPtr>& objects);  // "a b c"

// Collects what a watch hands out: "ADDED web@3", "BOOKMARK @5", "END 410 …".
struct RecordingSink final : WatchSink {
  bool deliver(std::span<const WatchItem> items) override;
  void end(const Error& error) override;
  std::string take();  // what came since, joined by ", "

  std::vector<std::string> events;
  std::vector<WatchItem> items;
  std::size_t deliveries = 0;
  bool accepts = true;
};

}  // namespace keelson
