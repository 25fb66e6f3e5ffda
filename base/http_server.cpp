// Listeners on the first loop, connections dealt out to all of them.
#include "base/http_server.h"

#include <sys/socket.h>

#include <cerrno>
#include <latch>
#include <map>
#include <mutex>
#include <utility>

#include "base/http1_connection.h"
#include "base/log.h"
#include "base/net.h"

namespace keelson {
namespace {

constexpr int accepts_per_turn = 64;
constexpr Duration accept_pause = 100ms;  // when descriptors or memory ran out

bool is_exhaustion(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
         error_number == ENOMEM;
}

}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  // One loop's connections; touched on its thread alone.
  struct Share {
    explicit Share(SystemLoop& l) : loop(l) {}
    SystemLoop& loop;
    std::map<std::uint64_t, std::weak_ptr<Wire>> wires;
    std::uint64_t next_id = 0;
  };
  struct Listener {
    Fd fd;
    Pending watch;  // or the pause
  };

  Impl(IoThreads& threads, HttpServerOptions options, Handler handler);
  void add(Fd fd);
  void watch(Listener& listener);
  void accept_from(Listener& listener);
  void deal(Fd fd);
  void begin(Share& share, Fd fd);
  void ended(Share& share, std::uint64_t id);
  template <typename What>
  void each_wire(Share& share, What what);
  void wind_down(Duration grace, Task stopped);
  void if_all_ended();
  Socket make_socket(Fd fd);

  std::shared_ptr<HttpServerShared> shared = std::make_shared<HttpServerShared>();
  std::vector<std::unique_ptr<Share>> shares;
  std::atomic<bool> stopping = false;
  std::mutex tls_mutex;
  TlsContextPtr tls;  // guarded by tls_mutex

  // Of the first loop's thread:
  std::vector<std::unique_ptr<Listener>> listeners;
  std::size_t next_share = 0;
  Task stopped;
  Pending grace_timer;
};

HttpServer::Impl::Impl(IoThreads& threads, HttpServerOptions options, Handler handler)
    : tls(options.tls) {
  shared->options = std::move(options);
  shared->handler = std::move(handler);
  for (std::size_t i = 0; i < threads.size(); ++i) {
    shares.push_back(std::make_unique<Share>(threads.loop(i)));
  }
}

void HttpServer::Impl::add(Fd fd) {
  if (stopping) return;
  listeners.push_back(std::make_unique<Listener>(Listener{std::move(fd), Pending()}));
  watch(*listeners.back());
}

void HttpServer::Impl::watch(Listener& listener) {
  listener.watch =
      shares[0]->loop.on_readable(listener.fd.get(), [this, &listener] { accept_from(listener); });
}

void HttpServer::Impl::accept_from(Listener& listener) {
  for (int i = 0; i < accepts_per_turn; ++i) {
    Fd fd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      deal(std::move(fd));
      continue;
    }
    const int error = errno;
    if (is_exhaustion(error)) {
      log_warn("cannot accept connections", {{"error", errno_text(error)}});
      listener.watch = shares[0]->loop.after(accept_pause, [this, &listener] { watch(listener); });
    }
    if (error != ECONNABORTED && error != EINTR) return;
  }
}

void HttpServer::Impl::deal(Fd fd) {
  if (shared->connections >= shared->options.limits.connections) {
    if (shared->turned_away++ % 1000 == 0) {
      log_warn("connections turned away: too many are open",
               {{"open", shared->connections.load()}});
    }
    return;
  }
  ++shared->connections;
  Share& share = *shares[next_share++ % shares.size()];
  share.loop.post([self = shared_from_this(), &share, fd = std::move(fd)]() mutable {
    self->begin(share, std::move(fd));
  });
}

Socket HttpServer::Impl::make_socket(Fd fd) {
  std::lock_guard lock(tls_mutex);
  return tls == nullptr ? Socket(std::move(fd)) : Socket(std::move(fd), tls);
}

void HttpServer::Impl::begin(Share& share, Fd fd) {
  const Limits& limits = shared->options.limits;
  auto wire = std::make_shared<Wire>(share.loop, make_socket(std::move(fd)), limits.send_timeout);
  const std::uint64_t id = share.next_id++;
  share.wires.emplace(id, wire);
  wire->at_end([self = shared_from_this(), &share, id] { self->ended(share, id); });
  wire->use(std::make_shared<Http1Connection>(shared, wire));
  if (stopping) return wire->close();
  wire->expire_after(limits.request_header_timeout);
  wire->open();
}

void HttpServer::Impl::ended(Share& share, std::uint64_t id) {
  share.wires.erase(id);
  --shared->connections;
  if (stopping) shares[0]->loop.post([self = shared_from_this()] { self->if_all_ended(); });
}

// What may end wires, so the walk is over a copy.
template <typename What>
void HttpServer::Impl::each_wire(Share& share, What what) {
  const auto wires = share.wires;
  for (const auto& [id, weak] : wires) {
    if (auto wire = weak.lock()) what(*wire);
  }
}

void HttpServer::Impl::wind_down(Duration grace, Task when_stopped) {
  listeners.clear();
  stopped = std::move(when_stopped);
  grace_timer = shares[0]->loop.after(grace, [self = shared_from_this()] {
    for (auto& share : self->shares) {
      share->loop.post([self, &share = *share] {
        self->each_wire(share, [](Wire& wire) {
          wire.lose({Reason::ServiceUnavailable, "the server has stopped"});
        });
      });
    }
  });
  for (auto& share : shares) {
    share->loop.post([self = shared_from_this(), &share = *share] {
      self->each_wire(share, [](Wire& wire) { wire.wind_down(); });
    });
  }
  if_all_ended();
}

void HttpServer::Impl::if_all_ended() {
  if (shared->connections > 0 || !stopped) return;
  grace_timer.reset();
  std::exchange(stopped, nullptr)();
}

HttpServer::HttpServer(IoThreads& threads, HttpServerOptions options, Handler handler)
    : impl_(std::make_shared<Impl>(threads, std::move(options), std::move(handler))) {}

HttpServer::~HttpServer() {
  impl_->stopping = true;
  auto done = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(impl_->shares.size()));
  for (std::size_t i = 0; i < impl_->shares.size(); ++i) {
    Impl::Share& share = *impl_->shares[i];
    share.loop.post([impl = impl_, &share, done, first = i == 0] {
      if (first) {
        impl->listeners.clear();
        impl->grace_timer.reset();
      }
      impl->each_wire(share, [](Wire& wire) {
        wire.lose({Reason::ServiceUnavailable, "the server has stopped"});
      });
      done->count_down();
    });
  }
  done->wait();
}

Result<std::string> HttpServer::listen(std::string_view address) {
  auto fd = listen_on(address);
  if (!fd) return std::unexpected(fd.error());
  std::string bound = local_address(fd->get());
  listen(std::move(*fd));
  return bound;
}

void HttpServer::listen(Fd listener) {
  impl_->shares[0]->loop.post(
      [impl = impl_, fd = std::move(listener)]() mutable { impl->add(std::move(fd)); });
}

void HttpServer::set_tls(TlsContextPtr tls) {
  std::lock_guard lock(impl_->tls_mutex);
  impl_->tls = std::move(tls);
}

void HttpServer::stop(Duration grace, Task stopped) {
  impl_->stopping = true;
  impl_->shares[0]->loop.post([impl = impl_, grace, stopped = std::move(stopped)]() mutable {
    impl->wind_down(grace, std::move(stopped));
  });
}

HttpServer::Stats HttpServer::stats() const {
  const HttpServerShared& shared = *impl_->shared;
  return {.connections = shared.connections,
          .requests = shared.requests,
          .refused = shared.refused,
          .turned_away = shared.turned_away};
}

}  // namespace keelson
