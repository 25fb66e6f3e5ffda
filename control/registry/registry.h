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
// process.
struct Answer {
  ObjectPtr object;
  Revision revision = 0;
  bool created = false;  // 201 instead of 200
  bool removed = false;  // a delete: the object is gone, and this was its last state
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
};

class Admission;
class WatchHub;
class WatchSink;

// Names an object of a request: kind, namespace (empty for cluster scope), name, subresource ("",
// "status", "scale" …).
struct Target {
  const Kind& kind;
  std::string name_space;
  std::string name;
  std::string subresource = {};
};

class Registry {
 public:
  Registry(Store& store, const Clock& clock, Random& random, const Limits& limits);
  ~Registry();

  Store& store() { return store_; }
  const View& view() const { return store_.view(); }

  Result<Answer> get(const Target& target, std::string_view resource_version = {});
  Result<ListAnswer> list(const Kind& kind, const ListQuery& query);
  // The message's metadata may lack name and namespace; target's stand.
  Result<Answer> create(const Target& target, std::unique_ptr<Message> message,
                        RequestContext& context);
  Result<Answer> update(const Target& target, std::unique_ptr<Message> message,
                        RequestContext& context);
  Result<Answer> patch(const Target& target, PatchType type, const Document& body,
                       RequestContext& context);
  Result<Answer> remove(const Target& target, const DeleteOptions& options,
                        RequestContext& context);
  // Objects that were removed or are on their way out.
  Result<ListAnswer> remove_collection(const Kind& kind, const ListQuery& query,
                                       const DeleteOptions& options, RequestContext& context);
  // Events go to the sink, on the core loop, once they are durable; dropping the Pending ends it.
  Result<Pending> watch(const Kind& kind, const WatchQuery& query, std::shared_ptr<WatchSink> sink);

 private:
  Store& store_;
  const Clock& clock_;
  Random& random_;
  const Limits& limits_;
  std::unique_ptr<Admission> admission_;
  std::unique_ptr<WatchHub> watch_hub_;
};

}  // namespace keelson
