// One SOCK_SEQPACKET socket at a time.
#include "isolation/spawner_link.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "isolation/fd_message.h"
#include "isolation/step_words.h"

namespace keelson::isolation {
namespace {

constexpr Duration reconnect_first = 2ms, reconnect_most = 500ms;

Result<Fd> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(Reason::Invalid, "{}: too long", path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    return fail_errno(errno, "connect to the spawner at {}", path);
  }
  return fd;
}

template <typename Message>
const Message* as(const char* bytes, std::size_t size) {
  return size == sizeof(Message) ? reinterpret_cast<const Message*>(bytes) : nullptr;
}

}  // namespace

SpawnerLink::SpawnerLink(SystemLoop& loop, std::string socket_path, Listener listener)
    : loop_(loop),
      socket_path_(std::move(socket_path)),
      listener_(std::move(listener)),
      delay_(reconnect_first) {
  post([this] { connect(); });
}
SpawnerLink::~SpawnerLink() = default;

void SpawnerLink::post(Task task) {
  loop_.post([weak = std::weak_ptr(alive_), task = std::move(task)]() mutable {
    if (!weak.expired()) task();
  });
}

void SpawnerLink::connect() {
  auto connected = connect_to(socket_path_);
  if (!connected) return connect_later();
  socket_ = std::move(*connected);
  readable_ = loop_.on_readable(socket_.get(), [this] { receive_all(); });
  listener_.connected();
  const wire::Head subscribe{wire::version, wire::Kind::Subscribe, 0};
  const int sent = send_message(socket_.get(), &subscribe, sizeof subscribe, nullptr, 0);
  if (sent < 0) lose(fail_errno(-sent, "subscribe to the spawner").error());
}

void SpawnerLink::connect_later() {
  reconnect_ = loop_.after(delay_, [this] { connect(); });
  delay_ = std::min(delay_ * 2, Duration(reconnect_most));
}

void SpawnerLink::lose(const Error& error) {
  readable_.reset();
  socket_ = Fd();
  connect_later();
  const Error gone{Reason::ServiceUnavailable, "the spawner is gone: " + error.message, nullptr};
  const std::weak_ptr<bool> weak = alive_;
  auto lost = std::exchange(replies_, {});
  LinkFds none;
  for (auto& [request, done] : lost) done(std::unexpected(gone), none);
  if (!weak.expired()) listener_.lost(gone);
}

void SpawnerLink::send(wire::Kind kind, void* message, std::size_t size,
                       const std::vector<int>& fds, OnReply done) {
  auto* head = static_cast<wire::Head*>(message);
  *head = {wire::version, kind, ++last_request_};
  int sent = -ENOTCONN;
  if (socket_) {
    sent = send_message(socket_.get(), message, size, fds.data(), static_cast<int>(fds.size()));
  }
  if (sent == 0) {
    replies_.emplace(head->request, std::move(done));
    return;
  }
  const Error error{Reason::ServiceUnavailable, "ask the spawner: " + errno_text(-sent), nullptr};
  post([error, done = std::move(done)]() mutable {
    LinkFds none;
    done(std::unexpected(error), none);
  });
}

void SpawnerLink::receive_all() {
  alignas(8) char bytes[sizeof(wire::ContainerMessage)];
  const std::weak_ptr<bool> weak = alive_;
  while (!weak.expired() && socket_) {
    ReceivedFds received;
    const long size = receive_message(socket_.get(), bytes, sizeof bytes, received);
    if (size == -EAGAIN) return;
    LinkFds fds;
    for (int i = 0; i < received.count; ++i) fds.all.emplace_back(received.fds[i]);
    if (size >= static_cast<long>(sizeof(wire::Head))) {
      handle(bytes, static_cast<std::size_t>(size), fds);
    } else {
      return lose(size < 0 ? fail_errno(static_cast<int>(-size), "receive").error()
                           : Error{Reason::ServiceUnavailable, "it closed", nullptr});
    }
  }
}

void SpawnerLink::handle(const char* bytes, std::size_t size, LinkFds& fds) {
  switch (reinterpret_cast<const wire::Head*>(bytes)->kind) {
    case wire::Kind::Reply:
      if (const auto* reply = as<wire::Reply>(bytes, size)) handle_reply(*reply, fds);
      return;
    case wire::Kind::Container:
      if (const auto* state = as<wire::ContainerMessage>(bytes, size)) {
        listener_.container(*state, fds);
      }
      return;
    case wire::Kind::Sandbox:
      if (const auto* state = as<wire::SandboxMessage>(bytes, size)) listener_.sandbox(*state, fds);
      return;
    case wire::Kind::ExecEnded:
      if (const auto* end = as<wire::IdMessage>(bytes, size)) listener_.exec_ended(*end);
      return;
    case wire::Kind::Ready:
      delay_ = reconnect_first;
      return listener_.ready();
    default:
      return;  // a newer spawner's
  }
}

void SpawnerLink::handle_reply(const wire::Reply& reply, LinkFds& fds) {
  const auto found = replies_.find(reply.head.request);
  if (found == replies_.end()) return;
  OnReply done = std::move(found->second);
  replies_.erase(found);
  if (reply.error_number != 0) {
    done(start_error(reply), fds);
  } else {
    done(reply, fds);
  }
}

}  // namespace keelson::isolation
