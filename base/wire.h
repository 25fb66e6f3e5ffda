// One connection on its loop: waits for its socket, sends what is queued, watches its deadlines,
// and tells whoever uses it now. HTTP, tunnels and WebSockets are users.
#pragma once

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/socket.h"
#include "base/system_loop.h"

namespace keelson {

// Everything here happens on the loop's thread.
class Wire final : public std::enable_shared_from_this<Wire> {
 public:
  class User {
   public:
    virtual ~User() = default;
    virtual void on_open() {}        // after open(): the handshake is done
    virtual void on_readable() = 0;  // once per want_read(): read() until it wants to wait
    virtual void on_sent() {}        // some of what was queued is sent: look at unsent()
    virtual void on_expired() = 0;   // the deadline has passed
    virtual void on_wind_down() {}   // the owner stops: end as soon as it is decent
    // Not by close(): the peer is gone, or we were cut. Once and last.
    virtual void on_lost(const Error& error) = 0;
  };

  Wire(SystemLoop& loop, Socket socket, Duration send_timeout);
  ~Wire();

  // A new user takes over; the wire keeps it alive until it closes.
  void use(std::shared_ptr<User> user);
  void open();                                           // handshake, then on_open
  void at_end(Task task) { at_end_ = std::move(task); }  // once it is closed, for whatever reason

  void want_read();
  Socket::Moved read(char* data, std::size_t size);  // Failed: lose() it with error()

  void send(Bytes bytes);  // queues; flush() sends
  void send(std::string bytes) { send(make_bytes(std::move(bytes))); }
  void flush();  // what can be sent now; the rest by itself
  std::size_t unsent() const { return unsent_; }
  void finish();  // when all that is queued is sent: half-close

  void expire_after(Duration delay);  // instead of an earlier deadline
  void never_expire();
  void wind_down();
  void close();                    // silently
  void lose(const Error& error);   // and tell the user
  void abort(const Error& error);  // lose(), and the peer is told by RST that this is no end
  bool closed() const { return closed_; }

  SystemLoop& loop() { return loop_; }
  const Socket& socket() const { return socket_; }

 private:
  struct Descriptor;
  void advance_handshake();
  void wait_readable();
  void wait_writable();
  void readable();
  void writable();
  bool send_some();
  void drop_sent(std::size_t bytes);
  void half_close();
  void arm_timer();
  void timer_fired();

  SystemLoop& loop_;
  Socket socket_;
  const Duration send_timeout_;
  std::unique_ptr<Descriptor> descriptor_;
  std::shared_ptr<User> user_;
  Task at_end_;

  std::vector<Bytes> queue_;
  std::size_t queue_at_ = 0;  // the first that is not wholly sent
  std::size_t offset_ = 0;    // and how much of it is
  std::size_t unsent_ = 0;
  bool opening_ = false;
  bool closed_ = false;
  bool wants_read_ = false;
  bool finishing_ = false;
  bool waits_readable_ = false;
  bool waits_writable_ = false;

  Instant deadline_ = Instant::max();
  Instant send_deadline_ = Instant::max();
  Instant timer_at_ = Instant::max();
  Pending timer_;
};

}  // namespace keelson
