// One attempt after the other; the first that connects wins, the last error is told.
#include "base/dial.h"

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cerrno>
#include <deque>
#include <memory>
#include <utility>

#include "base/net.h"

namespace keelson {
namespace asio = boost::asio;
namespace {

using Done = std::move_only_function<void(Result<Fd>)>;

class Dialing final : public std::enable_shared_from_this<Dialing> {
 public:
  Dialing(SystemLoop& loop, std::string address, Done done)
      : loop_(loop), address_(std::move(address)), resolver_(loop.io()), done_(std::move(done)) {}

  void use(Result<Fd> socket) {
    if (!done_) return;  // cancelled meanwhile
    if (!socket) return fail_attempt(socket.error());
    fd_ = std::move(*socket);
    connected_ = loop_.on_writable(fd_.get(), [self = shared_from_this()] { self->writable(); });
  }

  void resolve(const HostPort& where) {
    resolver_.async_resolve(where.host, std::to_string(where.port), Resolver::numeric_service,
                            [self = shared_from_this()](boost::system::error_code error,
                                                        const Resolver::results_type& found) {
                              self->resolved(error, found);
                            });
  }

  void cancel() {
    done_ = nullptr;
    connected_.reset();
    resolver_.cancel();
    fd_ = Fd();
  }

 private:
  using Resolver = asio::ip::tcp::resolver;

  void resolved(boost::system::error_code error, const Resolver::results_type& found) {
    if (!done_) return;
    if (error) {
      return finish(fail(Reason::ServiceUnavailable, "resolve {}: {}", address_, error.message()));
    }
    for (const auto& entry : found) {
      const asio::ip::address host = entry.endpoint().address();
      const char* shape = host.is_v6() ? "[{}]:{}" : "{}:{}";
      attempts_.push_back(
          fmt::format(fmt::runtime(shape), host.to_string(), entry.endpoint().port()));
    }
    next();
  }

  void next() {
    std::string attempt = std::move(attempts_.front());
    attempts_.pop_front();
    use(start_connect(attempt));
  }

  void writable() {
    auto self = shared_from_this();  // the watch that calls us holds us
    connected_.reset();
    int error = 0;
    socklen_t size = sizeof(error);
    ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) return finish(std::move(fd_));
    fail_attempt(fail_errno(error, "connect to {}", address_).error());
  }

  void fail_attempt(Error error) {
    if (!attempts_.empty()) return next();
    error.reason = Reason::ServiceUnavailable;
    finish(std::unexpected(std::move(error)));
  }

  void finish(Result<Fd> result) {
    if (auto done = std::exchange(done_, nullptr)) done(std::move(result));
  }

  SystemLoop& loop_;
  const std::string address_;
  Resolver resolver_;
  std::deque<std::string> attempts_;
  Fd fd_;
  Pending connected_;
  Done done_;
};

struct DialCancel final : Pending::Cancel {
  explicit DialCancel(std::shared_ptr<Dialing> d) : dialing(std::move(d)) {}
  ~DialCancel() override { dialing->cancel(); }
  std::shared_ptr<Dialing> dialing;
};

bool is_name(const std::string& address, const Result<HostPort>& parts) {
  if (address.starts_with("unix:") || !parts) return false;
  boost::system::error_code error;
  asio::ip::make_address(parts->host, error);
  return error.failed();
}

}  // namespace

Pending dial(SystemLoop& loop, const std::string& address, const HttpClient::Dial& make,
             std::move_only_function<void(Result<Fd>)> done) {
  auto dialing = std::make_shared<Dialing>(loop, address, std::move(done));
  const auto parts = parse_host_port(address);
  if (make) {
    loop.post([dialing, socket = make(address)]() mutable { dialing->use(std::move(socket)); });
  } else if (is_name(address, parts)) {
    dialing->resolve(*parts);
  } else {
    loop.post(
        [dialing, socket = start_connect(address)]() mutable { dialing->use(std::move(socket)); });
  }
  return Pending(std::make_unique<DialCancel>(std::move(dialing)));
}

}  // namespace keelson
