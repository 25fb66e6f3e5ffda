// What a controller is: what wakes it, and one function that brings actual closer to desired.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/kinds.h"
#include "api/view.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/work_queue.h"
#include "control/registry/writer.h"

namespace keelson {

// Tells people what a controller did, as Events. Repeats are counted, not added (API-BEHAVIOUR
// §13).
class EventRecorder {
 public:
  virtual ~EventRecorder() = default;
  // type: "Normal" or "Warning". Never fails: an event that cannot be written is logged.
  virtual void record(const Object& regarding, std::string_view type, std::string_view reason,
                      std::string_view message) = 0;
};

// What a reconcile has in hand. It reads the view as it is now, writes at most a bounded number of
// objects, and can be run again at any time.
struct Context {
  const View& view;
  Writer& writer;
  const Clock& clock;
  Random& random;
  EventRecorder& events;
};

// A change of `kind` makes keys due: keys_of calls add for each.
struct Trigger {
  using Add = std::function<void(std::string key)>;
  const Kind* kind = nullptr;
  void (*keys_of)(const View& view, const Change& change, const Add& add) = nullptr;
};

struct Controller {
  std::string_view name;
  std::vector<Trigger> triggers;
  // An error means again later, backed off. State a controller keeps between calls lives in the
  // function.
  std::function<Result<Outcome>(Context& context, std::string_view key)> reconcile;
  BackOff back_off = {};
};

// The two triggers nearly every controller has.
void own_key(const View& view, const Change& change, const Trigger::Add& add);  // the object's
void controller_key(const View& view, const Change& change,
                    const Trigger::Add& add);  // its controller owner's, of any kind

}  // namespace keelson
