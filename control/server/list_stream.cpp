// One piece a turn of the loop, and none while the reader is behind.
#include "control/server/list_stream.h"

#include "control/server/piece_writer.h"

namespace keelson {
namespace {

class ListStream : public std::enable_shared_from_this<ListStream> {
 public:
  ListStream(SystemLoop& loop, std::unique_ptr<ByteSink> sink, ListEncoder encoder)
      : loop_(loop), writer_(loop, std::move(sink)), encoder_(std::move(encoder)) {}
  void go_on();

 private:
  SystemLoop& loop_;
  PieceWriter writer_;
  ListEncoder encoder_;
};

// Whoever waits holds the stream: it goes when its reader does.
void ListStream::go_on() {
  auto next = [self = shared_from_this()] { self->go_on(); };
  if (!writer_.flush()) return writer_.when_room(std::move(next));
  std::string piece = encoder_.next_piece();
  if (piece.empty()) return writer_.sink().finish();
  writer_.push(make_bytes(std::move(piece)));
  loop_.post(std::move(next));
}

}  // namespace

void respond_list(SystemLoop& loop, CallPtr call, ListEncoder encoder) {
  HttpResponse head{.headers = {{"Content-Type", std::string(content_type(call->output))}}};
  if (encoder.is_short()) {
    head.body.push_back(make_bytes(encoder.whole()));
    return call->respond(std::move(head));
  }
  auto sink = call->stream(std::move(head));
  std::make_shared<ListStream>(loop, std::move(sink), std::move(encoder))->go_on();
}

}  // namespace keelson
