// The threads that wait for bytes: each runs a loop of its own, and a connection stays on one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/system_loop.h"

namespace keelson {

// Must outlive every server, client and stream on it.
class IoThreads {
 public:
  explicit IoThreads(int threads, std::string name = "io");  // name: what `top -H` shows
  ~IoThreads();                                              // stops and joins
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  std::size_t size() const { return threads_.size(); }
  SystemLoop& loop(std::size_t index);

 private:
  struct Thread;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace keelson
