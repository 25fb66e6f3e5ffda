// One watch over HTTP: frames are taken apart on the I/O loop, events handed over on the owner's, a
// batch at a time, so that a slow owner slows the server instead of filling memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/client.h"
#include "base/http_client.h"

namespace keelson {

class HttpWatch final : public std::enable_shared_from_this<HttpWatch> {
 public:
  struct Parts {
    Loop& owner;
    HttpClient& http;
    const Kind& kind;
    Client::OnEvent on_event;
    Client::OnEnd on_end;
  };
  // ends_within: the server ends it by then; one that goes on in silence is ended here.
  HttpWatch(Parts parts, Duration ends_within);

  // Both on the owner's loop.
  void start(HttpCall call);
  void stop();  // no further call; also from inside one

 private:
  // On the I/O loop:
  void opened(Result<HttpClient::Streamed> streamed);
  void read_refusal(int status, std::string body);
  void read_next();
  void take(std::string bytes);
  Result<bool> take_frame(std::vector<WatchEvent>& events);
  Result<WatchEvent> event_of(const std::string& type, const std::string& envelope) const;
  void hand_over(std::vector<WatchEvent> events);
  void end(Error error);
  // On the owner's:
  void deliver(std::vector<WatchEvent> events);
  void ended(Error error);
  void forget_callbacks();

  Loop& owner_;
  HttpClient& http_;
  const Kind& kind_;
  const Duration ends_within_;

  // The owner's loop:
  Client::OnEvent on_event_;
  Client::OnEnd on_end_;
  bool live_ = true;
  bool calling_ = false;
  Pending call_;

  // The I/O loop:
  std::unique_ptr<ByteSource> body_;
  std::string received_;   // frames that are not taken yet
  std::size_t taken_ = 0;  // of received_
  bool over_ = false;
  Pending silence_;
};

}  // namespace keelson
