// The connection to the spawner: requests with their replies, news, and connecting again. What the
// messages mean is spawner_client.cpp's business.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/system_loop.h"
#include "isolation/spawn_wire.h"

namespace keelson::isolation {

struct LinkFds {  // that came with a message; those not taken are closed
  std::vector<Fd> all = {};
  Fd take(std::size_t index) { return index < all.size() ? std::move(all[index]) : Fd(); }
};

// Loop thread only.
class SpawnerLink {
 public:
  struct Listener {
    std::function<void()> connected;  // nothing is known yet
    std::function<void(const wire::ContainerMessage&, LinkFds&)> container;
    std::function<void(const wire::SandboxMessage&, LinkFds&)> sandbox;
    std::function<void(const wire::IdMessage&)> exec_ended;
    std::function<void()> ready;
    std::function<void(const Error&)> lost;  // after all pending replies got that error
  };
  using OnReply = std::move_only_function<void(Result<wire::Reply>, LinkFds&)>;

  SpawnerLink(SystemLoop& loop, std::string socket_path, Listener listener);
  ~SpawnerLink();
  SpawnerLink(const SpawnerLink&) = delete;
  SpawnerLink& operator=(const SpawnerLink&) = delete;

  // Never answers from inside the call.
  template <typename Message>
  void call(wire::Kind kind, Message message, const std::vector<int>& fds, OnReply done) {
    send(kind, &message, sizeof message, fds, std::move(done));
  }
  void post(Task task);  // dropped if the link is gone by then

 private:
  void send(wire::Kind kind, void* message, std::size_t size, const std::vector<int>& fds,
            OnReply done);
  void connect();
  void connect_later();
  void lose(const Error& error);
  void receive_all();
  void handle(const char* bytes, std::size_t size, LinkFds& fds);
  void handle_reply(const wire::Reply& reply, LinkFds& fds);

  SystemLoop& loop_;
  std::string socket_path_;
  Listener listener_;
  Fd socket_;
  Pending readable_, reconnect_;
  Duration delay_;
  std::uint64_t last_request_ = 0;
  std::map<std::uint64_t, OnReply> replies_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace keelson::isolation
