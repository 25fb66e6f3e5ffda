// Keeps one pod's status in the API in step with the node: the newest wins, one write at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/client.h"
#include "base/loop.h"

namespace k8s::io::api::core::v1 {
class Pod;
class PodStatus;
}  // namespace k8s::io::api::core::v1

namespace keelson {

// Loop thread only.
class StatusWriter {
 public:
  struct Source {
    std::function<const core::Pod&()> pod;  // its newest version that the node has heard of
    std::function<core::PodStatus()> status;
    std::function<bool()> is_busy;  // the status will be another in a moment: wait a little
    std::function<void(ObjectPtr)> written;  // the version a write left
  };
  StatusWriter(Loop& loop, Client& client, Source source);
  ~StatusWriter();

  void changed();
  // The last status, then the object itself: it has ended here and its grace is over. A pod that is
  // gone by then is fine; what fails is tried again.
  void remove();

 private:
  void write();
  void wrote(const std::string& bytes, std::int64_t resource_version, Result<ObjectPtr> answer);
  void erase();
  void retry_later();

  Loop& loop_;
  Client& client_;
  Source source_;
  std::string written_;  // the status as last written
  bool in_flight_ = false, removing_ = false, overdue_ = false;
  Duration retry_{0};
  Pending timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keelson
