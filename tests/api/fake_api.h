// An API server of one kind in memory, behind the Client interface: a history that can be cut
// short, watches that can be broken, answers that can be made to fail. In virtual time.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/client.h"
#include "api/kinds.h"
#include "api/proto/core/v1/config_map.pb.h"
#include "base/loop.h"

namespace keelson {

class FakeApi final : public Client {
 public:
  explicit FakeApi(Loop& loop) : loop_(loop) {}

  // --- what happens at the server
  Revision put(const std::string& name, const std::string& uid, const std::string& value) {
    core::ConfigMap map;
    map.mutable_metadata()->set_namespace_("a");
    map.mutable_metadata()->set_name(name);
    map.mutable_metadata()->set_uid(uid);
    map.mutable_metadata()->set_resourceversion(std::to_string(++revision_));
    (*map.mutable_data())["value"] = value;
    ObjectPtr object = make_object(kinds::config_map(), map);
    const bool is_new = !objects_.contains(name);
    objects_[name] = object;
    happen({.type = is_new ? EventType::Added : EventType::Modified,
            .object = std::move(object),
            .resource_version = revision_});
    return revision_;
  }
  Revision erase(const std::string& name) {
    ObjectPtr object = objects_.at(name);
    objects_.erase(name);
    happen(
        {.type = EventType::Deleted, .object = std::move(object), .resource_version = ++revision_});
    return revision_;
  }
  void other_writes(int count) { revision_ += count; }  // of other kinds
  void bookmark() {
    for (auto& [id, watch] : watches_)
      send(id, {.type = EventType::Bookmark, .resource_version = revision_});
  }
  void forget_history() {
    history_.clear();
    oldest_ = revision_;
  }
  void break_watches(const Error& error) {
    auto broken = std::move(watches_);
    watches_.clear();
    for (auto& [id, watch] : broken) {
      loop_.post([watch, error] {
        if (watch->live) watch->on_end(error);
        watch->live = false;
      });
    }
  }
  void send_to_all(const WatchEvent& event) {
    for (auto& [id, watch] : watches_) send(id, event);
  }
  void fail_with(std::optional<Error> error) { failure_ = std::move(error); }

  // --- what was asked of it
  int lists = 0;
  int watches_opened = 0;
  Revision last_watch_from = 0;
  std::vector<Instant> asked_at;
  const std::map<std::string, ObjectPtr>& objects() const { return objects_; }
  Revision revision() const { return revision_; }
  std::size_t open_watches() const { return watches_.size(); }

  void list(const Kind&, ListOptions, ListDone done) override {
    ++lists;
    asked_at.push_back(loop_.clock().now());
    loop_.post([this, done = std::move(done)]() mutable {
      if (failure_) return done(std::unexpected(*failure_));
      ObjectList list{.resource_version = revision_, .items = {}};
      for (const auto& [name, object] : objects_) list.items.push_back(object);
      done(std::move(list));
    });
  }
  Pending watch(const Kind&, WatchFrom from, OnEvent on_event, OnEnd on_end) override {
    ++watches_opened;
    asked_at.push_back(loop_.clock().now());
    last_watch_from = from.resource_version;
    const int id = next_watch_++;
    auto watch = std::make_shared<Watch>(std::move(on_event), std::move(on_end));
    loop_.post([this, id, watch, from = from.resource_version] { open(id, watch, from); });
    return Pending(std::make_unique<CancelWatch>(*this, id, watch));
  }
  void get(const Kind&, std::string_view, Done) override {}
  void create(const Kind&, const Message&, Done) override {}
  void update(const Kind&, const Message&, std::string_view, Done) override {}
  void patch(const Kind&, std::string_view, Patch, Done) override {}
  void remove(const Kind&, std::string_view, DeleteOptions, Done) override {}

 private:
  struct Watch {
    Watch(OnEvent e, OnEnd n) : on_event(std::move(e)), on_end(std::move(n)) {}
    OnEvent on_event;
    OnEnd on_end;
    bool live = true;
  };
  struct CancelWatch final : Pending::Cancel {
    CancelWatch(FakeApi& a, int i, std::shared_ptr<Watch> w) : api(a), id(i), watch(std::move(w)) {}
    ~CancelWatch() override {
      watch->live = false;
      api.watches_.erase(id);
    }
    FakeApi& api;
    int id;
    std::shared_ptr<Watch> watch;
  };

  void open(int id, const std::shared_ptr<Watch>& watch, Revision from) {
    if (!watch->live) return;
    std::optional<Error> refusal = failure_;
    if (!refusal && from < oldest_) refusal = Error{Reason::Expired, "too old resource version"};
    if (refusal) {
      watch->live = false;
      return watch->on_end(*refusal);
    }
    watches_.emplace(id, watch);
    for (const WatchEvent& event : history_) {
      if (event.resource_version > from) send(id, event);
    }
  }
  void happen(WatchEvent event) {
    history_.push_back(event);
    send_to_all(event);
  }
  void send(int id, const WatchEvent& event) {
    auto found = watches_.find(id);
    if (found == watches_.end()) return;
    loop_.post([watch = found->second, event] {
      if (watch->live) watch->on_event(event);
    });
  }

  Loop& loop_;
  std::map<std::string, ObjectPtr> objects_;
  std::deque<WatchEvent> history_;
  Revision revision_ = 10;
  Revision oldest_ = 0;
  std::optional<Error> failure_;
  std::map<int, std::shared_ptr<Watch>> watches_;
  int next_watch_ = 0;
};

}  // namespace keelson
