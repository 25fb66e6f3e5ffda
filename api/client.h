// The API as other rooms reach it: requests and watches. Over HTTP from a node; in process, with
// delay and loss, in simulation. This is the network seam: what is lost or late are requests and
// events, not bytes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"
#include "api/view.h"
#include "base/loop.h"

namespace keelson {

enum class PatchType { Json, Merge, StrategicMerge, Apply };

struct ListOptions {
  std::string name_space;  // empty: all
  std::string label_selector;
  std::string field_selector;
};

struct DeleteOptions {
  std::optional<std::int64_t> grace_period_seconds;
  std::string
      propagation_policy;        // "Background", "Foreground", "Orphan"; empty: the kind's default
  std::string uid;               // precondition; empty: none
  std::string resource_version;  // precondition; empty: none
};

struct ObjectList {
  Revision resource_version = 0;
  std::vector<ObjectPtr> items;
};

enum class EventType { Added, Modified, Deleted, Bookmark };

struct WatchEvent {
  EventType type = EventType::Added;
  ObjectPtr object;               // null for a bookmark
  Revision resource_version = 0;  // to resume from
};

// One loop's: called there, answers there, never from inside the call. Dropping a watch's Pending
// ends it without a further call. Every request ends, by an answer or by an error (Timeout,
// ServiceUnavailable).
class Client {
 public:
  using Done = std::move_only_function<void(Result<ObjectPtr>)>;
  using ListDone = std::move_only_function<void(Result<ObjectList>)>;
  using OnEvent = std::move_only_function<void(WatchEvent)>;
  using OnEnd = std::move_only_function<void(Error)>;  // once; Expired: list again

  virtual ~Client() = default;
  virtual void get(const Kind& kind, std::string_view key, Done done) = 0;
  virtual void create(const Kind& kind, const Message& message, Done done) = 0;
  // subresource: "" or "status".
  virtual void update(const Kind& kind, const Message& message, std::string_view subresource,
                      Done done) = 0;
  struct Patch {
    PatchType type;
    std::string body;  // JSON
    std::string subresource;
  };
  virtual void patch(const Kind& kind, std::string_view key, Patch patch, Done done) = 0;
  // The answer is null when the object is gone, else the object on its way out.
  virtual void remove(const Kind& kind, std::string_view key, DeleteOptions options, Done done) = 0;
  virtual void list(const Kind& kind, ListOptions options, ListDone done) = 0;
  struct WatchFrom {
    ListOptions which;
    Revision resource_version = 0;
  };
  [[nodiscard]] virtual Pending watch(const Kind& kind, WatchFrom from, OnEvent on_event,
                                      OnEnd on_end) = 0;
};

}  // namespace keelson
