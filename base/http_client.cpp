// The pool: which connection a call takes, and when it has to wait for one.
#include "base/http_client.h"

#include <deque>
#include <latch>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "base/dial.h"
#include "base/http_client_connection.h"
#include "base/net.h"

namespace keelson {
namespace {

std::string host_of(const std::string& address) {
  if (address.starts_with("unix:")) return "localhost";
  auto parts = parse_host_port(address);
  return parts ? parts->host : address;
}

struct ByPeer {
  bool operator()(const HttpPeer& a, const HttpPeer& b) const {
    return std::tie(a.address, a.host, a.tls) < std::tie(b.address, b.host, b.tls);
  }
};

}  // namespace

struct HttpClient::Impl final : ClientConnection::Owner,
                                std::enable_shared_from_this<HttpClient::Impl> {
  struct Pool {
    std::vector<std::shared_ptr<ClientConnection>> idle;  // the last used at the back
    int busy = 0;                                         // counted calls that have a connection
    std::deque<ClientCallPtr> waiting;                    // for one of these to end
  };

  Impl(SystemLoop& l, const Limits& n, Dial d) : loop(l), limits(n), make_socket(std::move(d)) {}

  Pending start(ClientCallPtr call);  // any thread
  void begin(ClientCallPtr call);
  void place(const ClientCallPtr& call);
  void count(const ClientCallPtr& call);
  void connect(const ClientCallPtr& call);
  void connected(const ClientCallPtr& call, Result<Fd> fd);
  void expire(const ClientCallPtr& call);
  void cancel(const ClientCallPtr& call);
  void release(const ClientCallPtr& call);
  void next_waiting(const HttpPeer& peer);
  void close_all();
  std::shared_ptr<ClientConnection> take_idle(const HttpPeer& peer);
  void forget_if_unused(const HttpPeer& peer);

  void connection_idle(std::shared_ptr<ClientConnection> connection) override;
  void call_over(const ClientCallPtr& call) override;
  void repeat_call(const ClientCallPtr& call) override;

  SystemLoop& loop;
  const Limits limits;
  const Dial make_socket;
  std::map<HttpPeer, Pool, ByPeer> pools;
  std::map<std::uint64_t, std::weak_ptr<Wire>> wires;
  std::map<ClientCall*, ClientCallPtr> calls;  // whose callback is still to come
  std::uint64_t next_wire = 0;
  bool closing = false;
};

void HttpClient::Impl::begin(ClientCallPtr call) {
  if (call->over) return;
  if (closing) return call->fail({Reason::ServiceUnavailable, "the client is closed"});
  if (call->call.peer.host.empty()) call->call.peer.host = host_of(call->call.peer.address);
  calls.emplace(call.get(), call);
  call->timer = loop.after(call->call.timeout, [self = weak_from_this(), call] {
    if (auto impl = self.lock()) impl->expire(call);
  });
  place(call);
}

// Streams and tunnels may last for ever, so they count towards no bound but their caller's.
void HttpClient::Impl::count(const ClientCallPtr& call) {
  if (call->kind != ClientCall::Kind::Fetch) return;
  ++pools[call->call.peer].busy;
  call->counted = true;
}

void HttpClient::Impl::repeat_call(const ClientCallPtr& call) {
  calls.emplace(call.get(), call);
  count(call);
  connect(call);
}

void HttpClient::Impl::place(const ClientCallPtr& call) {
  Pool& pool = pools[call->call.peer];
  if (call->kind == ClientCall::Kind::Fetch && pool.busy >= limits.connections_per_peer) {
    pool.waiting.push_back(call);
    return;
  }
  count(call);
  if (auto idle = take_idle(call->call.peer)) return idle->start(call);
  connect(call);
}

std::shared_ptr<ClientConnection> HttpClient::Impl::take_idle(const HttpPeer& peer) {
  auto& idle = pools[peer].idle;
  while (!idle.empty()) {
    auto connection = std::move(idle.back());
    idle.pop_back();
    if (!connection->wire()->closed()) return connection;
  }
  return nullptr;
}

void HttpClient::Impl::connect(const ClientCallPtr& call) {
  call->dialing = dial(loop, call->call.peer.address, make_socket,
                       [self = weak_from_this(), call](Result<Fd> fd) {
                         if (auto impl = self.lock()) impl->connected(call, std::move(fd));
                       });
}

void HttpClient::Impl::connected(const ClientCallPtr& call, Result<Fd> fd) {
  call->dialing.reset();
  if (call->over) return;
  if (!fd) {
    call_over(call);
    return call->fail(fd.error());
  }
  const HttpPeer peer = call->call.peer;
  Socket socket =
      peer.tls == nullptr ? Socket(std::move(*fd)) : Socket(std::move(*fd), peer.tls, peer.host);
  auto wire = std::make_shared<Wire>(loop, std::move(socket), limits.send_timeout);
  const std::uint64_t id = next_wire++;
  wires.emplace(id, wire);
  wire->at_end([self = weak_from_this(), id, peer] {
    auto impl = self.lock();
    if (impl == nullptr) return;
    impl->wires.erase(id);
    impl->loop.post([self, peer] {
      if (auto still = self.lock()) still->forget_if_unused(peer);
    });
  });
  auto connection = std::make_shared<ClientConnection>(weak_from_this(), wire, peer, limits);
  wire->use(connection);
  connection->open(call);
}

void HttpClient::Impl::connection_idle(std::shared_ptr<ClientConnection> connection) {
  if (closing) return connection->wire()->close();
  const HttpPeer& peer = connection->peer();
  auto& idle = pools[peer].idle;
  std::erase_if(idle, [](const auto& old) { return old->wire()->closed(); });
  idle.push_back(connection);
  next_waiting(peer);
}

void HttpClient::Impl::call_over(const ClientCallPtr& call) {
  calls.erase(call.get());
  if (std::exchange(call->counted, false)) --pools[call->call.peer].busy;
  loop.post([self = weak_from_this(), peer = call->call.peer] {
    if (auto impl = self.lock()) impl->next_waiting(peer);
  });
}

void HttpClient::Impl::next_waiting(const HttpPeer& peer) {
  auto found = pools.find(peer);
  while (found != pools.end() && !found->second.waiting.empty() &&
         found->second.busy < limits.connections_per_peer) {
    ClientCallPtr call = std::move(found->second.waiting.front());
    found->second.waiting.pop_front();
    if (!call->over) place(call);
    found = pools.find(peer);
  }
  forget_if_unused(peer);
}

void HttpClient::Impl::forget_if_unused(const HttpPeer& peer) {
  auto found = pools.find(peer);
  if (found == pools.end()) return;
  Pool& pool = found->second;
  std::erase_if(pool.idle, [](const auto& old) { return old->wire()->closed(); });
  if (pool.idle.empty() && pool.busy == 0 && pool.waiting.empty()) pools.erase(found);
}

void HttpClient::Impl::expire(const ClientCallPtr& call) {
  if (call->over) return;
  const std::string_view missing = call->dialing ? "no connection" : "no answer";
  release(call);
  call->fail(
      {Reason::Timeout, fmt::format("{} within {:.1f} s", missing,
                                    std::chrono::duration<double>(call->call.timeout).count())});
}

void HttpClient::Impl::cancel(const ClientCallPtr& call) {
  if (std::exchange(call->over, true)) return;
  call->timer.reset();
  release(call);
}

// Gives back what the call has; a connection in the middle of it is of no more use.
void HttpClient::Impl::release(const ClientCallPtr& call) {
  call->dialing.reset();
  call_over(call);
  if (auto connection = call->connection.lock()) connection->give_up(call);
}

void HttpClient::Impl::close_all() {
  closing = true;
  const auto all_wires = wires;
  for (const auto& [id, weak] : all_wires) {
    if (auto wire = weak.lock()) {
      wire->lose({Reason::ServiceUnavailable, "the client is closed"});
    }
  }
  const auto all_calls = std::exchange(calls, {});
  for (const auto& [key, call] : all_calls) {
    call->fail({Reason::ServiceUnavailable, "the client is closed"});
  }
  pools.clear();
}

Pending HttpClient::Impl::start(ClientCallPtr call) {
  struct Cancel final : Pending::Cancel {
    Cancel(std::shared_ptr<Impl> i, ClientCallPtr c) : impl(std::move(i)), call(std::move(c)) {}
    ~Cancel() override {
      SystemLoop& loop = impl->loop;
      loop.dispatch([impl = std::move(impl), call = std::move(call)] { impl->cancel(call); });
    }
    std::shared_ptr<Impl> impl;
    ClientCallPtr call;
  };
  loop.post([self = shared_from_this(), call] { self->begin(call); });
  return Pending(std::make_unique<Cancel>(shared_from_this(), std::move(call)));
}

HttpClient::HttpClient(SystemLoop& loop, const Limits& limits, Dial dial)
    : impl_(std::make_shared<Impl>(loop, limits, std::move(dial))) {}

// The loop must run, or have been stopped.
HttpClient::~HttpClient() {
  if (impl_->loop.is_current() || impl_->loop.is_stopped()) {
    impl_->close_all();
    return;
  }
  auto done = std::make_shared<std::latch>(1);
  impl_->loop.post([impl = impl_, done] {
    impl->close_all();
    done->count_down();
  });
  done->wait();
}

Pending HttpClient::fetch(HttpCall call, OnResponse done) {
  auto made = std::make_shared<ClientCall>();
  made->call = std::move(call);
  made->on_response = std::move(done);
  return impl_->start(std::move(made));
}

Pending HttpClient::stream(HttpCall call, OnStream done) {
  auto made = std::make_shared<ClientCall>();
  made->kind = ClientCall::Kind::Stream;
  made->call = std::move(call);
  made->on_stream = std::move(done);
  return impl_->start(std::move(made));
}

Pending HttpClient::upgrade(HttpCall call, OnUpgrade done) {
  auto made = std::make_shared<ClientCall>();
  made->kind = ClientCall::Kind::Upgrade;
  made->call = std::move(call);
  made->on_upgrade = std::move(done);
  return impl_->start(std::move(made));
}

SystemLoop& HttpClient::loop() {
  return impl_->loop;
}

Result<HttpUrl> parse_url(std::string_view url) {
  HttpUrl parsed;
  std::string_view rest = url;
  parsed.tls = rest.starts_with("https://");
  if (!parsed.tls && !rest.starts_with("http://")) {
    return fail(Reason::Invalid, "URL {:?}: must begin with https:// or http://", url);
  }
  rest.remove_prefix(rest.find("//") + 2);
  const auto slash = std::min(rest.find('/'), rest.size());
  parsed.address = rest.substr(0, slash);
  parsed.path = rest.substr(slash);
  while (parsed.path.ends_with('/')) parsed.path.pop_back();
  if (!parse_host_port(parsed.address)) parsed.address += parsed.tls ? ":443" : ":80";
  if (auto parts = parse_host_port(parsed.address); !parts) {
    return parts.error().during("URL {:?}", url);
  }
  return parsed;
}

}  // namespace keelson
