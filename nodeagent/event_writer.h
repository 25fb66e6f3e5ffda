// Tells what happens to pods as Events of the API, in order, and never waits for it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "api/client.h"
#include "api/event_log.h"
#include "nodeagent/pod_hands.h"

namespace keelson {

// Loop thread only.
class EventWriter final : public PodEvents {
 public:
  EventWriter(Loop& loop, Client& client, const std::string& node_name);
  ~EventWriter() override;

  void record(const core::Pod& pod, std::string_view container, std::string_view type,
              std::string_view reason, std::string_view message) override;
  // Of the node itself.
  void record(const core::ObjectReference& regarding, std::string_view type,
              std::string_view reason, std::string_view message);

 private:
  struct Waiting;
  void send_next();
  void sent(const std::string& key, Result<ObjectPtr> answer);

  Loop& loop_;
  Client& client_;
  EventLog log_;
  std::map<std::string, Waiting> waiting_;  // by event key: a later count replaces an earlier
  std::deque<std::string> order_;
  bool in_flight_ = false;
  Duration retry_{0};  // the last wait
  bool backing_off_ = false;
  Pending timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keelson
