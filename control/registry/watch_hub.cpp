// Slots, the hand-over of events in batches, and the clock of bookmarks.
#include "control/registry/watch_hub.h"

#include <algorithm>

#include "base/log.h"
#include "control/registry/watch_event.h"

namespace keelson {
namespace {

constexpr Duration bookmark_period = 60s;         // upstream's defaultBookmarkFrequency
constexpr Duration bookmark_before_timeout = 2s;  // so that a client resumes from near the end

// The slots of a slot table that are empty cost nothing: they are taken out.
template <typename Slots>
void drop_if_empty(Slots& slots, const std::string& key) {
  const auto slot = slots.find(key);
  if (slot != slots.end() && slot->second.empty()) slots.erase(slot);
}

}  // namespace

struct WatchHub::Watcher {
  Id id;
  Request request;
  std::shared_ptr<WatchSink> sink;
  Revision seen = 0;  // changes up to here have been handed over or are none of its business
  Instant ends_at{};
  Instant bookmark_due{};
  bool started = false;
  bool stopped = false;
  std::vector<WatchItem> items = {};  // of the batch that is being distributed
};

struct WatchHub::Cancel final : Pending::Cancel {
  Cancel(WatchHub& h, Id i) : hub(h), alive(h.alive_), id(i) {}
  ~Cancel() override {
    if (*alive) hub.stop(id);
  }
  WatchHub& hub;
  std::shared_ptr<bool> alive;
  Id id;
};

WatchHub::WatchHub(Store& store, Loop& loop, const Limits& limits)
    : store_(store), loop_(loop), limits_(limits) {
  store_.subscribe_durable([this, alive = alive_](std::span<const Change> changes) {
    if (*alive) distribute(changes);
  });
}

WatchHub::~WatchHub() {
  *alive_ = false;
}

Pending WatchHub::add(Request request, std::shared_ptr<WatchSink> sink) {
  const Id id = next_id_++;
  const Revision from = request.from;
  std::vector<ObjectPtr> initial;
  if (request.initial) {
    initial = store_.view().list(request.kind, request.selection.name_space);
    std::erase_if(initial,
                  [&](const ObjectPtr& object) { return !request.selection.matches(*object); });
  }
  const Revision due = request.initial ? from : 0;
  auto watcher = std::make_shared<Watcher>(
      Watcher{.id = id, .request = std::move(request), .sink = std::move(sink), .seen = from});
  if (watcher->request.timeout > Duration(0)) {
    watcher->ends_at = loop_.clock().now() + watcher->request.timeout;
  }
  watchers_.emplace(id, watcher);
  store_.when_durable(due, [this, alive = alive_, watcher, initial = std::move(initial)] {
    if (*alive && !watcher->stopped) start(watcher, initial);
  });
  return Pending(std::make_unique<Cancel>(*this, id));
}

// What was there, then what has happened since; from here on distribute() goes on.
void WatchHub::start(const WatcherPtr& watcher, const std::vector<ObjectPtr>& initial) {
  const Request& request = watcher->request;
  auto missed = store_.history_after(watcher->seen);
  if (!missed) {
    stop(watcher->id);
    return watcher->sink->end(missed.error());
  }
  for (const auto& object : initial) {
    watcher->items.push_back({.type = EventType::Added,
                              .object = object,
                              .revision = object->resource_version,
                              .initial = true});
  }
  if (request.marks_initial_end) {
    watcher->items.push_back({.type = EventType::Bookmark,
                              .revision = request.from,
                              .initial = true,
                              .initial_end = true});
  }
  for (const auto& change : *missed) {
    if (change.object().kind != &request.kind) continue;
    ChangeForWatchers event(change, false);
    if (auto item = event.item_for(request.selection)) watcher->items.push_back(std::move(*item));
  }
  watcher->seen = std::max(watcher->seen, store_.durable_revision());
  watcher->started = true;
  slot_of(*watcher).emplace(watcher->id, watcher);
  ++by_kind_[&request.kind].count;
  hand_over(watcher);
  if (!watcher->stopped) schedule_bookmark(*watcher);
}

void WatchHub::stop(Id id) {
  const auto found = watchers_.find(id);
  if (found == watchers_.end()) return;
  const WatcherPtr watcher = found->second;
  watchers_.erase(found);
  watcher->stopped = true;
  bookmarks_due_.erase({watcher->bookmark_due, id});
  if (!watcher->started) return;
  slot_of(*watcher).erase(id);
  --by_kind_[&watcher->request.kind].count;
  prune(*watcher);
}

// By name, else by the first indexed field it asks for, else by namespace.
WatchHub::Slot& WatchHub::slot_of(const Watcher& watcher) {
  const Kind& kind = watcher.request.kind;
  const Selection& selection = watcher.request.selection;
  OfKind& watchers = by_kind_[&kind];
  watchers.by_field.resize(kind.selectable_fields.size());
  if (const std::string* name = selection.fields.equals("metadata.name")) {
    return watchers.by_name[*name];
  }
  for (std::size_t i = 0; i < kind.selectable_fields.size(); ++i) {
    if (!kind.selectable_fields[i].indexed) continue;
    if (const std::string* value = selection.fields.equals(kind.selectable_fields[i].path)) {
      return watchers.by_field[i][*value];
    }
  }
  if (!selection.name_space.empty()) return watchers.by_namespace[selection.name_space];
  return watchers.all;
}

void WatchHub::prune(const Watcher& watcher) {
  const Kind& kind = watcher.request.kind;
  const Selection& selection = watcher.request.selection;
  const auto of_kind = by_kind_.find(&kind);
  OfKind& watchers = of_kind->second;
  if (watchers.count == 0) {
    by_kind_.erase(of_kind);
    return;
  }
  if (const std::string* name = selection.fields.equals("metadata.name")) {
    return drop_if_empty(watchers.by_name, *name);
  }
  for (std::size_t i = 0; i < kind.selectable_fields.size(); ++i) {
    const std::string* value = selection.fields.equals(kind.selectable_fields[i].path);
    if (value) drop_if_empty(watchers.by_field[i], *value);
  }
  drop_if_empty(watchers.by_namespace, selection.name_space);
}

// Before and after are both looked up: an object may leave one watcher's selection for another's.
std::vector<WatchHub::WatcherPtr> WatchHub::concerned(const OfKind& watchers,
                                                      const Change& change) const {
  std::map<Id, WatcherPtr> found;
  const auto add = [&found](const std::unordered_map<std::string, Slot>& slots,
                            const std::string& key) {
    const auto slot = slots.find(key);
    if (slot != slots.end()) found.insert(slot->second.begin(), slot->second.end());
  };
  std::vector<WatcherPtr> result;
  const Object& object = change.object();
  add(watchers.by_name, object.name);
  add(watchers.by_namespace, object.name_space);
  for (const Object* state : {change.before.get(), change.after.get()}) {
    for (std::size_t i = 0; state && i < watchers.by_field.size(); ++i) {
      if (!watchers.by_field[i].empty()) add(watchers.by_field[i], state->fields[i]);
    }
  }
  result.reserve(watchers.all.size() + found.size());
  for (const auto& [id, watcher] : watchers.all) result.push_back(watcher);
  for (const auto& [id, watcher] : found) result.push_back(watcher);
  return result;
}

void WatchHub::distribute(std::span<const Change> changes) {
  std::vector<WatcherPtr> touched;
  for (const Change& change : changes) {
    const auto watchers = by_kind_.find(change.object().kind);
    if (watchers == by_kind_.end()) continue;
    ChangeForWatchers event(change, true);
    for (const auto& watcher : concerned(watchers->second, change)) {
      if (change.revision <= watcher->seen) continue;
      auto item = event.item_for(watcher->request.selection);
      if (!item) continue;
      if (watcher->items.empty()) touched.push_back(watcher);
      watcher->items.push_back(std::move(*item));
    }
  }
  for (const auto& watcher : touched) hand_over(watcher);
}

void WatchHub::hand_over(const WatcherPtr& watcher) {
  const std::vector<WatchItem> items = std::exchange(watcher->items, {});
  const std::span<const WatchItem> all(items);
  for (std::size_t at = 0; at < all.size() && !watcher->stopped; at += limits_.watch_batch_events) {
    const auto count = std::min(limits_.watch_batch_events, all.size() - at);
    if (watcher->sink->deliver(all.subspan(at, count))) continue;
    log_info("a watcher is too slow and must resume",
             {{"kind", watcher->request.kind.kind}, {"revision", all[at].revision}});
    stop(watcher->id);
  }
}

void WatchHub::schedule_bookmark(Watcher& watcher) {
  if (!watcher.request.bookmarks) return;
  const Instant now = loop_.clock().now();
  Instant due = now + bookmark_period;
  if (watcher.ends_at != Instant{}) {
    const Instant last = watcher.ends_at - bookmark_before_timeout;
    if (last <= now) return;
    due = std::min(due, last);
  }
  watcher.bookmark_due = due;
  bookmarks_due_.emplace(due, watcher.id);
  arm();
}

void WatchHub::arm() {
  if (bookmarks_due_.empty()) return timer_.reset();
  const Instant first = bookmarks_due_.begin()->first;
  if (timer_ && timer_at_ <= first) return;
  timer_at_ = first;
  timer_ = loop_.after(first - loop_.clock().now(), [this] { send_bookmarks(); });
}

// Everything durable has been handed over, so the durable revision is where a watcher may resume.
void WatchHub::send_bookmarks() {
  timer_.reset();
  const Instant now = loop_.clock().now();
  while (!bookmarks_due_.empty() && bookmarks_due_.begin()->first <= now) {
    const WatcherPtr watcher = watchers_.at(bookmarks_due_.begin()->second);
    bookmarks_due_.erase(bookmarks_due_.begin());
    if (store_.durable_revision() >= watcher->seen) {
      watcher->items.push_back(
          {.type = EventType::Bookmark, .revision = store_.durable_revision()});
      hand_over(watcher);
    }
    if (!watcher->stopped) schedule_bookmark(*watcher);
  }
  arm();
}

}  // namespace keelson
