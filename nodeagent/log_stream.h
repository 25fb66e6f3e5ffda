// Sends a container's log down an HTTP answer, and goes on as it grows. No timer: inotify says when
// there is more.
#pragma once

#include <memory>
#include <string>

#include "base/byte_stream.h"
#include "base/system_loop.h"
#include "nodeagent/log_reader.h"

namespace keelson {

// Lives until everything is sent or the client is gone; all of it on one loop.
class LogStream : public std::enable_shared_from_this<LogStream> {
 public:
  struct Source {
    LogReader reader;
    std::string path;     // of the file that is written now
    bool follow = false;  // until container_ended()
    Task closed = {};     // on the loop, once: it needs no more word of the container
  };
  LogStream(SystemLoop& loop, Source source, std::unique_ptr<ByteSink> sink);

  void start();
  void container_ended();  // nothing will be added any more

 private:
  void pump();
  void wait_for_room();
  Result<> watch_folder();
  void close();

  SystemLoop& loop_;
  Source source_;
  std::unique_ptr<ByteSink> sink_;  // null: over
  Fd inotify_;
  Pending watch_;
  bool waits_for_room_ = false, has_ended_ = false;
};

}  // namespace keelson
