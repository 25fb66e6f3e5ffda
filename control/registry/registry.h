// The registry: what a verb does to an object, one file per verb. Synchronous, on the core loop: a
// write is in the store's view when the call returns and may be answered once its revision is
// durable.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/client.h"
#include "api/json.h"
#include "api/kinds.h"
#include "base/limits.h"
#include "base/random.h"
#include "control/registry/service_addresses.h"
#include "control/store/store.h"

namespace keelson {

enum class FieldValidation { Ignore, Warn, Strict };

// Who asks, and how.
struct RequestContext {
  std::string user;                 // "system:node:node-1"; authenticated
  std::vector<std::string> groups;  // "system:nodes"
  std::string field_manager;        // ?fieldManager, else the User-Agent up to "/"
  bool dry_run = false;             // everything happens but the commit
  FieldValidation field_validation = FieldValidation::Warn;
  bool force = false;                 // apply: take fields from other managers
  std::vector<std::string> warnings;  // out: for Warning headers
};

// What a write or a read gives. `revision` must be durable before anything of it leaves the
// process. The object's kind says what it is: a /scale answers with a Scale.
struct Answer {
  ObjectPtr object;
  Revision revision = 0;
  bool created = false;      // 201 instead of 200
  bool removed = false;      // a delete: the object is gone, and this was its last state
  bool status_only = false;  // the body is a Status: Success, not the object
};

struct ListQuery {
  std::string name_space;
  std::string label_selector, field_selector;
  std::int64_t limit = 0;  // 0: all
  std::string continue_token;
  std::string resource_version;        // "", "0", "N"
  std::string resource_version_match;  // "", "Exact", "NotOlderThan"
};
struct ListAnswer {
  std::vector<ObjectPtr> items;
  Revision revision = 0;  // of the list: the same on all pages
  std::string continue_token;
  std::int64_t remaining = -1;  // negative: not known
};

struct WatchQuery {
  std::string name_space;
  std::string label_selector, field_selector;
  std::string resource_version;
  bool bookmarks = false;
  std::optional<bool> send_initial_events;
  std::string resource_version_match;
  Duration timeout{0};  // when the caller will end it: a bookmark goes out shortly before. 0: never
};

class WatchHub;
class WatchSink;
struct Write;

// Names an object of a request: kind, namespace (empty for cluster scope), name, subresource ("",
// "status", "scale" …).
struct Target {
  const Kind& kind;
  std::string name_space;
  std::string name;
  std::string subresource = {};
};

// Whether get, update and patch of this target are the registry's: the kind's row has them, and the
// subresource is not one that others serve (log, exec).
bool takes(const Target& target, std::string_view verb);

// The row of what a subresource's bodies are: the kind itself for status, autoscaling/v1 Scale for
// scale, v1 Binding for binding.
const Kind& body_kind(const Kind& kind, std::string_view subresource);

class Registry {
 public:
  // The store is loaded and lives longer.
  Registry(Store& store, Loop& loop, Random& random, const Limits& limits,
           const ServiceRanges& ranges = {});
  ~Registry();

  Store& store() { return store_; }
  const View& view() const { return store_.view(); }
  const ServiceAddresses& service_addresses() const { return service_addresses_; }

  Result<Answer> get(const Target& target, std::string_view resource_version = {});
  Result<ListAnswer> list(const Kind& kind, const ListQuery& query);
  // The message's metadata may lack name and namespace; target's stand. subresource: "" or
  // "binding".
  Result<Answer> create(const Target& target, std::unique_ptr<Message> message,
                        RequestContext& context);
  // subresource: "", "status", "scale" (the message is a Scale) or a Namespace's "finalize".
  Result<Answer> update(const Target& target, std::unique_ptr<Message> message,
                        RequestContext& context);
  Result<Answer> patch(const Target& target, PatchType type, const Document& body,
                       RequestContext& context);
  Result<Answer> remove(const Target& target, const DeleteOptions& options,
                        RequestContext& context);
  // Objects that were removed or are on their way out.
  Result<ListAnswer> remove_collection(const Kind& kind, const ListQuery& query,
                                       const DeleteOptions& options, RequestContext& context);
  // Events go to the sink, on the core loop, once they are durable and never from inside the call;
  // dropping the Pending ends it.
  Result<Pending> watch(const Kind& kind, const WatchQuery& query, std::shared_ptr<WatchSink> sink);

 private:
  WallTime now() const { return loop_.clock().wall(); }
  Result<Write> begin(const Target& target, RequestContext& context) const;
  Result<Answer> write_new(Write write);
  Result<> name_new(const Target& target, meta::ObjectMeta& metadata);
  Result<Answer> write_changed(Write write);
  Result<Answer> update_scale(const Target& target, const Message& scale, RequestContext& context);
  Result<Answer> bind(const Target& target, const Message& binding, RequestContext& context);
  Result<Answer> patch_scale(const Target& target, PatchType type, const Document& body,
                             RequestContext& context);
  Result<Answer> patch_served(const Target& target, PatchType type, const Document& body,
                              RequestContext& context);
  Result<Answer> apply(const Target& target, const Document& body, RequestContext& context);
  Result<Answer> remove_namespace(Write& write, const DeleteOptions& options);
  Result<Answer> commit(Write& write);
  Result<Answer> commit_removal(Write& write);

  Store& store_;
  Loop& loop_;
  Random& random_;
  const Limits& limits_;
  ServiceAddresses service_addresses_;
  std::unique_ptr<WatchHub> watch_hub_;
};

}  // namespace keelson
