// A slice at a time, so that what is unsent stays near the stream's bound.
#include "control/server/piece_writer.h"

namespace keelson {
namespace {

constexpr std::size_t slice_bytes = 256 * 1024;

}  // namespace

bool PieceWriter::flush() {
  while (!pieces_.empty()) {
    const Bytes& piece = pieces_.front();
    bool room = true;
    if (written_ == 0 && piece->size() <= slice_bytes) {
      room = sink_->write(piece);  // shared, not copied
      written_ = piece->size();
    } else {
      std::string slice = piece->substr(written_, slice_bytes);
      written_ += slice.size();
      room = sink_->write(make_bytes(std::move(slice)));
    }
    if (written_ == piece->size()) {
      pieces_.pop_front();
      written_ = 0;
    }
    if (!room) return false;
  }
  return true;
}

void PieceWriter::when_room(Task task) {
  sink_->on_room([&loop = loop_, task = std::move(task)]() mutable { loop.post(std::move(task)); });
}

}  // namespace keelson
