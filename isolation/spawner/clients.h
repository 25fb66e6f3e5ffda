// Those who are connected: what they ask comes in, answers and news go out. Nothing is queued: a
// client is told of the newest state of what has changed since it was told last.
#pragma once

#include "isolation/spawner/core.h"

namespace keelson::isolation {

// Who asked, to be answered later; another client may have its place by then.
struct Asker {
  int client = -1;
  std::uint32_t generation = 0;
  std::uint64_t request = 0;
};

class Clients {
 public:
  explicit Clients(Core& core) : core_(core) {}

  void accept_one();
  // A message into buffer; its size, or <= 0: the client is gone and was closed.
  long receive(int client, void* buffer, std::size_t size, FdBag& fds);
  Asker asker(int client, std::uint64_t request) const;
  bool is_there(const Asker& asker) const;
  void subscribe(int client);

  void reply(const Asker& asker, wire::Reply reply, int fd = -1);
  void fail(const Asker& asker, int error_number, const char* detail);  // at Step::Take
  void send(const Asker& asker, const void* message, std::size_t size);
  void tell_news();  // to each as far as it takes them now
  void writable(int client);

 private:
  struct Client {
    int fd = -1;
    std::uint32_t generation = 0;
    bool is_subscribed = false, is_ready = false, waits_for_room = false;
    std::uint64_t seen = 0;      // Table::changes it has been told up to
    std::uint64_t ready_at = 0;  // what stood when it subscribed
  };

  void close_client(Client& client);
  bool put(Client& client, const void* message, std::size_t size, const int* fds, int fd_count);
  bool tell_next(Client& client);
  bool tell_container(Client& client, const ContainerSlot& slot);
  bool tell_sandbox(Client& client, const SandboxSlot& slot);

  Core& core_;
  Client clients_[wire::clients_max];
};

}  // namespace keelson::isolation
