// Bytes that come and go: what a streamed body, a tunnel or a WebSocket is to those who use it.
//
// Any thread may call; callbacks run on the stream's I/O thread and must not block. Destroying an
// end that is not finished cuts the connection; a callback that is already running on its thread
// may still end after that, so callbacks own (or share) what they touch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/loop.h"

namespace keelson {

// The sending half: takes bytes at once, sends them as the peer reads, and says when to wait.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  // False: taken, but that is enough (Limits::stream_buffer_bytes); write again after on_room. A
  // writer that goes on is cut off at twice the bound. Ignored after finish() or when closed.
  virtual bool write(Bytes bytes) = 0;
  virtual void on_room(Task task) = 0;  // once, as soon as the unsent bytes are few again
  virtual void finish() = 0;            // no more bytes; what was taken is still sent
  // Once: the peer is gone, or all is over (also what finish() sent). At once if it already is.
  virtual void on_closed(Task task) = 0;

  bool write(std::string bytes) { return write(make_bytes(std::move(bytes))); }
};

// The receiving half: asked for each piece, so that a slow reader slows its peer.
class ByteSource {
 public:
  // Some bytes; none: the peer has finished (it may still read). Error: the connection is lost.
  using OnBytes = std::move_only_function<void(Result<std::string>)>;

  virtual ~ByteSource() = default;
  virtual void read(OnBytes done) = 0;  // one at a time; not again after the end
};

// Both: a connection. finish() half-closes it.
class ByteStream : public ByteSink, public ByteSource {
 public:
  using ByteSink::write;
};

// Copies both ways until both have finished or one is lost, then calls done. Half-closes travel.
// What is held is bounded by the streams' own buffers.
void splice(std::unique_ptr<ByteStream> a, std::unique_ptr<ByteStream> b, Task done);

// A WebSocket, as its server sees it. Each write is one binary message; finish() is close(1000).
// Pings are answered and sent by itself.
class WebSocket : public ByteSink {
 public:
  struct Message {
    bool binary = true;
    std::string data;
  };
  // Error: closed; its message has the peer's code and reason.
  using OnMessage = std::move_only_function<void(Result<Message>)>;

  using ByteSink::write;
  virtual const std::string& subprotocol() const = 0;                   // agreed; "" if none
  virtual void read(OnMessage done) = 0;                                // one at a time
  virtual void close(std::uint16_t code, std::string_view reason) = 0;  // after what was written
};

}  // namespace keelson
