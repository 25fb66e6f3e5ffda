// What a watch hands out: durable changes of a kind, in order, each revision once.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "api/client.h"
#include "api/object.h"

namespace keelson {

// One object's bytes in each format, made once by whoever asks first (any thread) and shared by all
// watchers.
class Encodings {
 public:
  enum class Format { Json, Protobuf, TableV1, TableV1Beta1 };
  using Bytes = std::shared_ptr<const std::string>;
  Bytes get(Format format, const std::function<std::string()>& make);

 private:
  std::mutex mutex_;
  std::array<Bytes, 4> bytes_;
};

struct WatchItem {
  EventType type = EventType::Added;
  ObjectPtr object;  // null for a bookmark; for Deleted: the last state, at the revision of its end
  Revision revision = 0;
  bool initial = false;      // part of the state at the beginning; bounded by what there is
  bool initial_end = false;  // a bookmark: everything that was there has been sent
  // Null where nobody shares it: the beginning, what is caught up from history, bookmarks.
  std::shared_ptr<Encodings> encodings;
};

// Who receives. Called on the core loop; must not block and must not call back into the registry.
class WatchSink {
 public:
  virtual ~WatchSink() = default;
  // False: the receiver is too slow, and its watch ends here (it may resume from what it has).
  virtual bool deliver(std::span<const WatchItem> items) = 0;
  virtual void end(const Error& error) = 0;  // once, and nothing after it: Expired …
};

}  // namespace keelson
