// Connections of DNS clients: each a buffer in, a buffer out, and a timer.
#include "proxy/dns_tcp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace keelson::proxy {
namespace {

constexpr Duration accept_pause = 1s;  // when the process is out of descriptors

}  // namespace

class DnsTcpListener::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(DnsTcpListener& listener, Fd socket)
      : listener_(listener), socket_(std::move(socket)) {}

  // For one thing at a time: a loop watches a descriptor once.
  void watch() {
    timer_ = listener_.loop_.after(listener_.settings_.idle_timeout, [this] { close(); });
    if (!can_take()) readable_.reset();
    if (out_.empty()) writable_.reset();
    if (can_take() && !readable_)
      readable_ = listener_.loop_.on_readable(socket_.get(), [this] { receive(); });
    if (!out_.empty() && !writable_)
      writable_ = listener_.loop_.on_writable(socket_.get(), [this] { send(); });
  }

 private:
  void receive() {
    const auto self = shared_from_this();  // close() drops the listener's hold
    std::array<std::uint8_t, 4'096> buffer{};
    const ssize_t length = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) return close();
    in_.insert(in_.end(), buffer.begin(), buffer.begin() + length);
    take_questions();
  }

  // A reply may come at once and ask for the next question: the loop is under way then.
  void take_questions() {
    if (std::exchange(is_taking_, true)) return;
    while (!is_closed_ && in_.size() >= 2 && can_take()) {
      const std::size_t size = static_cast<std::size_t>(in_[0]) << 8 | in_[1];
      if (size > dns_query_bytes_max) return close();
      if (in_.size() < 2 + size) break;
      const auto end = in_.begin() + 2 + static_cast<std::ptrdiff_t>(size);
      DnsBytes question(in_.begin() + 2, end);
      in_.erase(in_.begin(), end);
      ++in_flight_;
      listener_.handle_(std::move(question), [self = weak_from_this()](DnsBytes answer) {
        if (const auto alive = self.lock()) alive->reply(answer);
      });
    }
    is_taking_ = false;
    if (!is_closed_) watch();
  }

  bool can_take() const { return in_flight_ < listener_.settings_.questions_max && out_.empty(); }

  void reply(const DnsBytes& answer) {
    if (is_closed_) return;
    if (answer.empty()) return close();
    --in_flight_;
    out_.push_back(static_cast<std::uint8_t>(answer.size() >> 8));
    out_.push_back(static_cast<std::uint8_t>(answer.size()));
    out_.insert(out_.end(), answer.begin(), answer.end());
    send();
  }

  void send() {
    const auto self = shared_from_this();
    const ssize_t sent = ::send(socket_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return close();
    if (sent > 0) out_.erase(out_.begin(), out_.begin() + sent);
    if (out_.empty())
      take_questions();
    else
      watch();
  }

  void close() {
    is_closed_ = true;
    readable_.reset();
    writable_.reset();
    timer_.reset();
    listener_.connections_.erase(shared_from_this());
  }

  DnsTcpListener& listener_;
  DnsBytes in_, out_;
  int in_flight_ = 0;
  bool is_taking_ = false;
  bool is_closed_ = false;
  Fd socket_;  // before the watches: they end first
  Pending readable_, writable_, timer_;
};

Result<std::unique_ptr<DnsTcpListener>> DnsTcpListener::open(SystemLoop& loop, Settings settings,
                                                             Handle handle) {
  Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return fail_errno(errno, "open a TCP socket");
  const int on = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(settings.port);
  address.sin_addr.s_addr = settings.address_be;
  constexpr int backlog = 128;
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener.get(), backlog) != 0)
    return fail_errno(errno, "listen for DNS at TCP port {}", settings.port);
  return std::unique_ptr<DnsTcpListener>(
      new DnsTcpListener(loop, settings, std::move(handle), std::move(listener)));
}

DnsTcpListener::DnsTcpListener(SystemLoop& loop, Settings settings, Handle handle, Fd listener)
    : loop_(loop), settings_(settings), handle_(std::move(handle)), listener_(std::move(listener)) {
  watch();
}

DnsTcpListener::~DnsTcpListener() = default;

std::uint16_t DnsTcpListener::port() const {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

void DnsTcpListener::accept() {
  Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
    readable_.reset();  // it would be readable again at once
    pause_ = loop_.after(accept_pause, [this] { watch(); });
  }
  if (!socket || connections_.size() >= settings_.connections_max) return;
  const auto connection = std::make_shared<Connection>(*this, std::move(socket));
  connections_.insert(connection);
  connection->watch();
}

void DnsTcpListener::watch() {
  readable_ = loop_.on_readable(listener_.get(), [this] { accept(); });
}

}  // namespace keelson::proxy
