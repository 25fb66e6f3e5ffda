// Events as they are told: what happened to an object is said once, and counted when it happens
// again (API-BEHAVIOUR §13). Pure; whoever owns one writes what it returns.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/object.h"
#include "base/clock.h"

namespace k8s::io::api::core::v1 {
class Event;
class ObjectReference;
}  // namespace k8s::io::api::core::v1

namespace keelson {

core::ObjectReference reference_to(const Object& object);

class EventLog {
 public:
  // component: "kubelet", "default-scheduler" …; host: the node it runs on, or empty.
  EventLog(std::string component, std::string host, const Clock& clock);
  ~EventLog();

  struct Said {
    bool is_new = true;  // create the event; else update it: count and lastTimestamp rose
    std::string key;     // "namespace/name"
  };
  // The event stays valid until the next call. type: "Normal", "Warning".
  struct Happening {
    const core::ObjectReference& regarding;
    std::string_view type, reason, message;
  };
  Said say(const Happening& happening, core::Event& event);
  // It could not be written: the next of its like is a new one.
  void forget(const std::string& key);

 private:
  struct Known;
  std::string component_, host_;
  const Clock& clock_;
  std::list<Known> known_;                                                    // the newest first
  std::unordered_map<std::string_view, std::list<Known>::iterator> by_what_;  // not iterated
  std::int64_t last_stamp_ = 0;
};

}  // namespace keelson
