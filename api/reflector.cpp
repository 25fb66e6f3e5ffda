// List, put everything, watch from there; after a break watch again from the last revision, or list
// again when the server no longer remembers it.
#include "api/reflector.h"

#include <algorithm>
#include <set>
#include <utility>

#include "api/kinds.h"
#include "base/log.h"

namespace keelson {
namespace {

// A break after this long without one is the first again. Source: client-go's reflector.
constexpr Duration calm_time = 120s;
// A watch that ends well after less is taken for a break, or we would ask again without pause.
constexpr Duration shortest_good_watch = 1s;

// Whether the same watch may succeed later. Anything else may come from an event that we cannot
// take, and only a new list leads past it.
bool is_passing(Reason reason) {
  switch (reason) {
    case Reason::ServiceUnavailable:
    case Reason::ServerTimeout:
    case Reason::Timeout:
    case Reason::TooManyRequests:
    case Reason::Unauthorized:
    case Reason::Forbidden:
      return true;
    default:
      return false;
  }
}

}  // namespace

// --- the index

void IndexSink::put(ObjectPtr object) {
  ObjectPtr before = index_.get(kind_, object->name_space, object->name);
  if (before && before->uid == object->uid &&
      before->resource_version == object->resource_version) {
    return;
  }
  if (before && before->uid != object->uid) {
    erase(key_of(*before), object->resource_version, nullptr);
    before = nullptr;
  }
  index_.put(object);
  on_change_({.before = std::move(before), .after = object, .revision = object->resource_version});
}

void IndexSink::erase(std::string_view key, Revision revision, ObjectPtr last) {
  const auto [name_space, name] = split_key(key);
  ObjectPtr before = index_.erase(kind_, name_space, name, revision);
  if (before == nullptr) return;
  on_change_({.before = std::move(before), .after = {}, .revision = revision, .last = last});
}

std::vector<std::string> IndexSink::keys() const {
  std::vector<std::string> keys;
  for (const ObjectPtr& object : index_.list(kind_)) keys.push_back(key_of(*object));
  return keys;
}

// --- the reflector

struct Reflector::State : std::enable_shared_from_this<Reflector::State> {
  State(Source s, const Kind& k, ListOptions w, ReflectorSink& to)
      : source(s), kind(k), which(std::move(w)), sink(&to) {}

  void list();
  void listed(Result<ObjectList> objects);
  void watch();
  void take(WatchEvent event);
  void ended(const Error& error);
  void again_after_break(const Error& error);

  const Source source;
  const Kind& kind;
  const ListOptions which;
  ReflectorSink* sink;  // null: the reflector is gone

  bool synced = false;
  std::vector<Task> on_synced;
  Revision revision = 0;
  bool must_list = true;
  Pending watching;
  Instant watching_since{};
  Pending timer;
  int breaks = 0;  // in a row
  Instant last_break{};
};

void Reflector::State::list() {
  source.client.list(kind, which, [weak = weak_from_this()](Result<ObjectList> objects) {
    if (auto self = weak.lock(); self && self->sink) self->listed(std::move(objects));
  });
}

void Reflector::State::listed(Result<ObjectList> objects) {
  if (!objects) return again_after_break(objects.error());
  std::set<std::string> here;
  for (const ObjectPtr& object : objects->items) here.insert(key_of(*object));
  for (const std::string& key : sink->keys()) {
    if (!here.contains(key)) sink->erase(key, objects->resource_version, nullptr);
  }
  for (ObjectPtr& object : objects->items) sink->put(std::move(object));
  revision = objects->resource_version;
  must_list = false;
  sink->advance(revision);
  if (!std::exchange(synced, true)) {
    for (Task& task : std::exchange(on_synced, {})) task();
  }
  if (sink) watch();
}

void Reflector::State::watch() {
  watching_since = source.loop.clock().now();
  watching = source.client.watch(
      kind, {.which = which, .resource_version = revision},
      [this](WatchEvent event) { take(std::move(event)); }, [this](Error error) { ended(error); });
}

void Reflector::State::take(WatchEvent event) {
  if (event.resource_version <= revision) return;  // seen before
  revision = event.resource_version;
  switch (event.type) {
    case EventType::Added:
    case EventType::Modified:
      sink->put(std::move(event.object));
      break;
    case EventType::Deleted: {
      const std::string key = key_of(*event.object);
      sink->erase(key, revision, std::move(event.object));
      break;
    }
    case EventType::Bookmark:
      break;
  }
  sink->advance(revision);
}

void Reflector::State::ended(const Error& error) {
  auto self = shared_from_this();
  const Pending finished = std::move(watching);
  const Duration lasted = source.loop.clock().now() - watching_since;
  if (error.reason == Reason::Expired) {
    must_list = true;
    return list();
  }
  if (error.reason == Reason::Timeout && lasted >= shortest_good_watch) return watch();
  must_list = !is_passing(error.reason);
  again_after_break(error);
}

void Reflector::State::again_after_break(const Error& error) {
  const Instant now = source.loop.clock().now();
  if (now - last_break > calm_time) breaks = 0;
  last_break = now;
  Duration wait = source.back_off.first;
  for (int i = 0; i < breaks && wait < source.back_off.most; ++i) wait *= 2;
  ++breaks;
  // Between once and twice as long, so that a cluster's nodes do not come back as one.
  wait = std::min(wait, source.back_off.most);
  wait += Duration(
      static_cast<std::int64_t>(source.random.below(static_cast<std::uint64_t>(wait.count()))));
  wait = std::min(wait, source.back_off.most);
  log_warn("lost sight of the API",
           {{"of", kind.plural}, {"error", error.message}, {"again_in_ms", wait / 1ms}});
  timer = source.loop.after(wait, [this] { must_list ? list() : watch(); });
}

Reflector::Reflector(Source source, const Kind& kind, ListOptions which, ReflectorSink& sink)
    : state_(std::make_shared<State>(source, kind, std::move(which), sink)) {
  state_->list();
}

Reflector::~Reflector() {
  state_->sink = nullptr;
  state_->watching.reset();
  state_->timer.reset();
}

bool Reflector::synced() const {
  return state_->synced;
}

void Reflector::on_synced(Task task) {
  if (!state_->synced) {
    state_->on_synced.push_back(std::move(task));
    return;
  }
  state_->source.loop.post([weak = std::weak_ptr(state_), task = std::move(task)]() mutable {
    if (auto state = weak.lock(); state && state->sink) task();
  });
}

Revision Reflector::revision() const {
  return state_->revision;
}

}  // namespace keelson
