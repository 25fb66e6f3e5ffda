// Pieces of any size to a stream, cut to what it takes at once.
#pragma once

#include <deque>
#include <memory>

#include "base/byte_stream.h"
#include "base/system_loop.h"

namespace keelson {

// One loop's.
class PieceWriter {
 public:
  PieceWriter(SystemLoop& loop, std::unique_ptr<ByteSink> sink)
      : loop_(loop), sink_(std::move(sink)) {}

  void push(Bytes piece) { pieces_.push_back(std::move(piece)); }
  // False: the reader is behind. Then wait for room, and flush again.
  bool flush();
  // The task runs on the loop when there is room; never, if the reader is gone.
  void when_room(Task task);
  ByteSink& sink() { return *sink_; }

 private:
  SystemLoop& loop_;
  std::unique_ptr<ByteSink> sink_;
  std::deque<Bytes> pieces_;
  std::size_t written_ = 0;  // of the first piece
};

}  // namespace keelson
