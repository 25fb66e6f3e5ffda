// Bytes from the command to the client and back, neither faster than the other takes them.
#include "nodeagent/exec_session.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>

#include "api/go_text.h"
#include "isolation/terminal.h"

namespace keelson {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 2> subprotocols = {"v5.channel.k8s.io", "v4.channel.k8s.io"};
constexpr std::size_t piece_bytes = 32 * 1024;

std::string status_text(const Result<isolation::ExitStatus>& status) {
  json::object tree{{"metadata", json::object{}}};
  if (!status) {
    tree["status"] = "Failure";
    tree["message"] = to_utf8(status.error().message);
    tree["reason"] = "InternalError";
    tree["code"] = 500;
  } else if (status->exit_code == 0) {
    tree["status"] = "Success";
  } else {
    const std::string code = std::to_string(status->exit_code);
    tree["status"] = "Failure";
    tree["message"] = "command terminated with non-zero exit code: exit status " + code;
    tree["reason"] = "NonZeroExitCode";
    tree["details"] = json::object{
        {"causes", json::array{json::object{{"reason", "ExitCode"}, {"message", code}}}}};
  }
  return json::serialize(tree);
}

}  // namespace

std::span<const std::string_view> exec_subprotocols() {
  return subprotocols;
}

ExecSession::ExecSession(SystemLoop& loop, std::unique_ptr<WebSocket> socket, Task cancel)
    : loop_(loop), socket_(std::move(socket)), cancel_(std::move(cancel)) {}

void ExecSession::started(ExecEnds ends) {
  is_terminal_ = static_cast<bool>(ends.terminal);
  if (is_terminal_) {
    stdin_end_ = Fd(::fcntl(ends.terminal.get(), F_DUPFD_CLOEXEC, 0));
    stdout_.end = std::move(ends.terminal);
  } else {
    stdin_end_ = std::move(ends.stdin_end);
    stdout_.end = std::move(ends.stdout_end);
    stderr_.end = std::move(ends.stderr_end);
  }
  for (const int fd : {stdin_end_.get(), stdout_.end.get(), stderr_.end.get()}) {
    if (fd >= 0) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  }
  stderr_.channel = Stderr;
  watch(stdout_);
  watch(stderr_);
  read_socket();
}

// --- from the client

void ExecSession::read_socket() {
  if (!socket_) return;
  socket_->read([self = shared_from_this()](Result<WebSocket::Message> message) mutable {
    self->loop_.post([self, message = std::move(message)]() mutable {
      if (!message) return self->cut();
      self->take(std::move(message->data));
    });
  });
}

void ExecSession::take(std::string message) {
  if (message.empty()) return read_socket();
  const char channel = message.front();
  message.erase(0, 1);
  if (channel == Resize) resize(message);
  if (channel == Close && !message.empty() && message.front() == Stdin) close_stdin_ = true;
  if (channel == Stdin && stdin_end_) to_stdin_ += message;
  feed_stdin();
}

// The next message is read when this one is written: a command that does not read stops its client.
void ExecSession::feed_stdin() {
  while (!to_stdin_.empty()) {
    const ssize_t wrote = ::write(stdin_end_.get(), to_stdin_.data(), to_stdin_.size());
    if (wrote < 0 && errno == EAGAIN) {
      stdin_watch_ = loop_.on_writable(stdin_end_.get(), [self = shared_from_this()] {
        self->stdin_watch_.reset();
        self->feed_stdin();
      });
      return;
    }
    if (wrote < 0) {  // it has closed its stdin
      to_stdin_.clear();
      break;
    }
    to_stdin_.erase(0, static_cast<std::size_t>(wrote));
  }
  if (close_stdin_ && !is_terminal_) stdin_end_ = Fd();
  read_socket();
}

void ExecSession::resize(std::string_view text) {
  boost::system::error_code error;
  const json::value tree = json::parse(text, error);
  const json::object* size = error ? nullptr : tree.if_object();
  if (!size || !is_terminal_) return;
  auto number = [size](const char* key) {
    const json::value* value = size->if_contains(key);
    return value && value->is_int64() ? static_cast<std::uint16_t>(value->as_int64()) : 0;
  };
  // A terminal that cannot be resized keeps its size: nothing to tell anybody.
  (void)isolation::resize_terminal(stdout_.end.get(),
                                   {.rows = static_cast<std::uint16_t>(number("Height")),
                                    .columns = static_cast<std::uint16_t>(number("Width"))});
}

// --- from the command

void ExecSession::watch(Output& output) {
  if (!output.end) return;
  output.watch = loop_.on_readable(output.end.get(), [this, self = weak_from_this(), &output] {
    if (auto alive = self.lock()) drain(output);
  });
}

void ExecSession::drain(Output& output) {
  while (socket_ && output.end && !waits_for_room_) {
    std::string piece(1, output.channel);
    piece.resize(1 + piece_bytes);
    const ssize_t got = ::read(output.end.get(), piece.data() + 1, piece_bytes);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {  // EIO: the terminal's last process has gone
      output.watch.reset();
      output.end = Fd();
      break;
    }
    piece.resize(1 + static_cast<std::size_t>(got));
    if (socket_->write(std::move(piece))) continue;
    waits_for_room_ = true;
    stdout_.watch.reset();
    stderr_.watch.reset();
    socket_->on_room([self = shared_from_this()] {
      self->loop_.post([self] {
        self->waits_for_room_ = false;
        self->watch(self->stdout_);
        self->watch(self->stderr_);
        self->finish_if_done();
      });
    });
  }
}

void ExecSession::ended(const Result<isolation::ExitStatus>& status) {
  status_ = status_text(status);
  cancel_ = {};
  finish_if_done();
}

// What the command itself has written is sent; a child it left behind may hold the pipe for ever.
void ExecSession::finish_if_done() {
  if (!socket_ || !status_) return;
  drain(stdout_);
  drain(stderr_);
  if (waits_for_room_) return;
  socket_->write(std::string(1, Status) + *status_);
  socket_->finish();
  socket_->on_closed([self = shared_from_this()] { self->loop_.post([self] { self->cut(); }); });
}

void ExecSession::cut() {
  stdin_watch_.reset();
  stdout_.watch.reset();
  stderr_.watch.reset();
  stdin_end_ = Fd();
  stdout_.end = Fd();
  stderr_.end = Fd();
  socket_.reset();
  if (cancel_) std::exchange(cancel_, {})();
}

}  // namespace keelson
