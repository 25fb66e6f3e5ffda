// list + watch → what a room keeps of it: everything of one kind, then every change, resumed after
// any break. Pure on its loop, over whatever Client it is handed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "api/object_index.h"
#include "base/random.h"
#include "base/work_queue.h"

namespace keelson {

// Where a reflector puts what it learns: an index of objects, or a projection of what is needed of
// them. Called on the loop; must not drop the reflector.
class ReflectorSink {
 public:
  virtual ~ReflectorSink() = default;
  // New or changed; also objects that are there already and have not changed (after a break).
  virtual void put(ObjectPtr object) = 0;
  // Gone. last: its last state if that is known; null if it went unseen.
  virtual void erase(std::string_view key, Revision revision, ObjectPtr last) = 0;
  // Of all that is here: when everything is listed anew, what is not listed any more is erased.
  virtual std::vector<std::string> keys() const = 0;
  virtual void advance(Revision) {}  // all up to here has been put
};

// One kind in an ObjectIndex, which other kinds may share (not two reflectors of one kind).
// on_change hears what really changed; an
// object that was replaced by one of the same name is a removal and an addition.
class IndexSink final : public ReflectorSink {
 public:
  using OnChange = std::function<void(const Change&)>;
  IndexSink(ObjectIndex& index, const Kind& kind, OnChange on_change)
      : index_(index), kind_(kind), on_change_(std::move(on_change)) {}
  void put(ObjectPtr object) override;
  void erase(std::string_view key, Revision revision, ObjectPtr last) override;
  std::vector<std::string> keys() const override;

 private:
  ObjectIndex& index_;
  const Kind& kind_;
  OnChange on_change_;
};

class Reflector {
 public:
  struct Source {
    Loop& loop;
    Client& client;
    Random& random;                                    // jitter
    BackOff back_off = {.first = 800ms, .most = 30s};  // as client-go's reflector
  };
  Reflector(Source source, const Kind& kind, ListOptions which, ReflectorSink& sink);
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  bool synced() const;        // everything has been listed once
  void on_synced(Task task);  // once; posted if it already is
  Revision revision() const;  // the sink has all of this kind up to here

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace keelson
