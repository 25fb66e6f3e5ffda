// Sending and receiving for clients.h.
#include "isolation/spawner/clients.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace keelson::isolation {

void Clients::accept_one() {
  const int fd = accept4(core_.places.listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool is_ours = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
                       (peer.uid == 0 || peer.uid == geteuid());
  for (int i = 0; is_ours && i < wire::clients_max; ++i) {
    Client& client = clients_[i];
    if (client.fd >= 0 || core_.watch(fd, Event::Client, i, EPOLLIN) < 0) continue;
    client = {.fd = fd, .generation = client.generation + 1};
    return;
  }
  close(fd);
}

long Clients::receive(int client, void* buffer, std::size_t size, FdBag& fds) {
  const long got = receive_message(clients_[client].fd, buffer, size, fds.received());
  if (got == -EAGAIN) return 0;
  if (got <= 0) close_client(clients_[client]);
  return got;
}

void Clients::close_client(Client& client) {
  if (client.fd >= 0) close(client.fd);
  client = {.fd = -1, .generation = client.generation};
}

Asker Clients::asker(int client, std::uint64_t request) const {
  return {client, clients_[client].generation, request};
}

bool Clients::is_there(const Asker& asker) const {
  return asker.client >= 0 && clients_[asker.client].fd >= 0 &&
         clients_[asker.client].generation == asker.generation;
}

void Clients::subscribe(int client) {
  clients_[client].is_subscribed = true;
  clients_[client].ready_at = core_.table.changes;
}

void Clients::reply(const Asker& asker, wire::Reply reply, int fd) {
  if (!is_there(asker)) return;
  reply.head = {wire::version, wire::Kind::Reply, asker.request};
  const int result =
      send_message(clients_[asker.client].fd, &reply, sizeof reply, &fd, fd >= 0 ? 1 : 0);
  // It asks and does not read the answers.
  if (result < 0) close_client(clients_[asker.client]);
}

void Clients::fail(const Asker& asker, int error_number, const char* detail) {
  wire::Reply answer{};
  answer.error_number = error_number;
  answer.step = wire::Step::Take;
  strncpy(answer.detail, detail, sizeof answer.detail - 1);
  reply(asker, answer);
}

void Clients::send(const Asker& asker, const void* message, std::size_t size) {
  if (!is_there(asker)) return;
  if (send_message(clients_[asker.client].fd, message, size, nullptr, 0) < 0) {
    close_client(clients_[asker.client]);
  }
}

bool Clients::put(Client& client, const void* message, std::size_t size, const int* fds,
                  int fd_count) {
  const int result = send_message(client.fd, message, size, fds, fd_count);
  if (result == 0) return true;
  if (result != -EAGAIN) {
    close_client(client);
    return false;
  }
  client.waits_for_room = true;
  epoll_event row{};
  row.events = EPOLLIN | EPOLLOUT;
  row.data.u64 = static_cast<std::uint64_t>(Event::Client) << 32 |
                 static_cast<std::uint32_t>(&client - clients_);
  epoll_ctl(core_.epoll, EPOLL_CTL_MOD, client.fd, &row);
  return false;
}

void Clients::writable(int index) {
  Client& client = clients_[index];
  client.waits_for_room = false;
  epoll_event row{};
  row.events = EPOLLIN;
  row.data.u64 =
      static_cast<std::uint64_t>(Event::Client) << 32 | static_cast<std::uint32_t>(index);
  epoll_ctl(core_.epoll, EPOLL_CTL_MOD, client.fd, &row);
}

bool Clients::tell_container(Client& client, const ContainerSlot& slot) {
  wire::ContainerMessage message{};
  message.head = {wire::version, wire::Kind::Container, 0};
  memcpy(message.id, slot.id, sizeof message.id);
  memcpy(message.sandbox_id, slot.sandbox_id, sizeof message.sandbox_id);
  memcpy(message.label, slot.label, sizeof message.label);
  message.pid = slot.pid;
  message.exit = slot.state.load() == SlotState::Exited ? slot.exit.load() : wire::Exit::Running;
  message.wait_status = slot.wait_status;
  message.started_ns = slot.started_ns;
  message.finished_ns = slot.finished_ns;
  message.lost_log_bytes = slot.lost_log_bytes;
  const int pidfd = core_.held(Held::Pidfd, slot_of(core_.table, slot));
  return put(client, &message, sizeof message, &pidfd, pidfd >= 0 ? 1 : 0);
}

bool Clients::tell_sandbox(Client& client, const SandboxSlot& slot) {
  wire::SandboxMessage message{};
  message.head = {wire::version, wire::Kind::Sandbox, 0};
  memcpy(message.id, slot.id, sizeof message.id);
  memcpy(message.label, slot.label, sizeof message.label);
  int fds[held_by_sandbox];
  int count = 0;
  const auto number = static_cast<int>(&slot - core_.table.sandboxes);
  for (int i = 0; i < held_by_sandbox; ++i) {
    const int fd = core_.store.sandbox_fds[number][i];
    if (fd < 0) continue;
    message.holds |= 1U << i;
    fds[count++] = fd;
  }
  return put(client, &message, sizeof message, fds, count);
}

// The oldest change it has not been told; false: there is none, or no room.
bool Clients::tell_next(Client& client) {
  const ContainerSlot* container = nullptr;
  const SandboxSlot* sandbox = nullptr;
  std::uint64_t oldest = ~0ULL;
  for (const SandboxSlot& slot : sandboxes_of(core_.table)) {
    if (slot.state.load() != SlotState::Running) continue;
    if (slot.changed <= client.seen || slot.changed >= oldest) continue;
    oldest = slot.changed;
    sandbox = &slot;
  }
  for (const ContainerSlot& slot : containers_of(core_.table)) {
    const SlotState state = slot.state.load();
    if (state != SlotState::Running && state != SlotState::Exited) continue;
    if (slot.changed <= client.seen || slot.changed >= oldest) continue;
    oldest = slot.changed;
    container = &slot;
  }
  if (!client.is_ready && (oldest > client.ready_at)) {
    const wire::Head ready{wire::version, wire::Kind::Ready, 0};
    client.is_ready = put(client, &ready, sizeof ready, nullptr, 0);
    return client.is_ready;
  }
  if (oldest == ~0ULL) return false;
  const bool was_told =
      container != nullptr ? tell_container(client, *container) : tell_sandbox(client, *sandbox);
  if (was_told) client.seen = oldest;
  return was_told;
}

void Clients::tell_news() {
  for (Client& client : clients_) {
    if (client.fd < 0 || !client.is_subscribed) continue;
    while (client.fd >= 0 && !client.waits_for_room && tell_next(client)) {
    }
  }
}

}  // namespace keelson::isolation
