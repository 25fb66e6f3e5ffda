// /containerLogs/NS/POD/CONTAINER, /exec/NS/POD/CONTAINER, /healthz.
#include "nodeagent/node_server.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <csignal>

#include "api/time_text.h"
#include "base/log.h"
#include "nodeagent/exec_session.h"
#include "nodeagent/log_stream.h"

namespace keelson {

struct NodeServer::State : std::enable_shared_from_this<State> {
  explicit State(Hands h) : hands(h) {}
  void handle(std::unique_ptr<Exchange> exchange);
  void logs(std::shared_ptr<Exchange> exchange);
  void stream_logs(std::shared_ptr<Exchange> exchange, LogOptions options);
  void exec(std::shared_ptr<Exchange> exchange);
  struct Command {
    std::shared_ptr<Exchange> exchange;
    std::shared_ptr<ExecSession> session;
    std::shared_ptr<std::uint64_t> exec_id;  // 0 until it runs
  };
  void start_exec(const Command& command);
  Result<const ContainerRun*> find(const HttpTarget& target) const;

  Hands hands;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

namespace {

// Kubernetes' API server proves itself to kubelets so; anyone of system:masters is trusted as it.
bool is_api_server(const TlsPeer* peer) {
  if (!peer || !peer->error.empty()) return false;
  const auto& groups = peer->organizations;
  return std::find(groups.begin(), groups.end(), "system:masters") != groups.end();
}

void answer_text(Exchange& exchange, int status, std::string text) {
  exchange.respond({.status = status,
                    .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
                    .body = {make_bytes(std::move(text))}});
}

// The API server hands bodies of errors on as they are: a Status, as its clients expect.
void answer_error(Exchange& exchange, const Error& error) {
  const int code = http_status_of(error.reason);
  const boost::json::object status{{"kind", "Status"},
                                   {"apiVersion", "v1"},
                                   {"metadata", boost::json::object{}},
                                   {"status", "Failure"},
                                   {"message", error.message},
                                   {"reason", std::string(to_string(error.reason))},
                                   {"code", code}};
  exchange.respond({.status = code,
                    .headers = {{"Content-Type", "application/json"}},
                    .body = {make_bytes(boost::json::serialize(status))}});
}

bool is_set(const HttpTarget& target, std::string_view name) {
  const std::string* value = target.parameter(name);
  return value && (*value == "true" || *value == "1");
}

Result<std::optional<std::int64_t>> number(const HttpTarget& target, std::string_view name) {
  const std::string* text = target.parameter(name);
  if (!text) return std::nullopt;
  std::int64_t value = -1;
  const char* end = text->data() + text->size();
  if (std::from_chars(text->data(), end, value).ptr != end || value < 0) {
    return fail(Reason::BadRequest, "{}: \"{}\" is no number from 0 on", name, *text);
  }
  return value;
}

Result<LogOptions> log_options(const HttpTarget& target, WallTime now) {
  const auto tail = number(target, "tailLines");
  const auto bytes = number(target, "limitBytes");
  const auto seconds = number(target, "sinceSeconds");
  for (const auto* parsed : {&tail, &bytes, &seconds}) {
    if (!*parsed) return std::unexpected(parsed->error());
  }
  LogOptions options{
      .tail_lines = *tail, .limit_bytes = *bytes, .timestamps = is_set(target, "timestamps")};
  if (*seconds) options.since = now - std::chrono::seconds(**seconds);
  if (const std::string* since = target.parameter("sinceTime")) {
    const auto parsed = parse_time(*since, false);
    if (!parsed) return std::unexpected(parsed.error());
    options.since = WallTime(std::chrono::seconds(parsed->seconds));
  }
  return options;
}

// A pipe: ours does not block, the command's does.
struct Pipe {
  Fd ours, theirs;
};
Result<Pipe> make_pipe(bool they_write) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno(errno, "pipe");
  return they_write ? Pipe{Fd(ends[0]), Fd(ends[1])} : Pipe{Fd(ends[1]), Fd(ends[0])};
}

}  // namespace

NodeServer::NodeServer(IoThreads& threads, TlsContextPtr tls, Hands hands, const Limits& limits)
    : state_(std::make_shared<State>(hands)) {
  server_ = std::make_unique<HttpServer>(
      threads, HttpServerOptions{.tls = std::move(tls), .limits = limits},
      [state = state_](std::unique_ptr<Exchange> exchange) { state->handle(std::move(exchange)); });
}

NodeServer::~NodeServer() = default;

Result<std::string> NodeServer::listen(const std::string& address) {
  return server_->listen(address);
}

void NodeServer::State::handle(std::unique_ptr<Exchange> exchange) {
  const auto& path = exchange->target().segments;
  if (path.size() == 1 && path[0] == "healthz") return answer_text(*exchange, 200, "ok");
  if (!is_api_server(exchange->peer())) return answer_text(*exchange, 401, "Unauthorized");
  const bool names_container = path.size() == 4;
  if (names_container && path[0] == "containerLogs" && exchange->request().method == "GET") {
    return logs(std::move(exchange));
  }
  if (names_container && path[0] == "exec") return exec(std::move(exchange));
  answer_text(*exchange, 404, "404 page not found");
}

// The agent's loop.
Result<const ContainerRun*> NodeServer::State::find(const HttpTarget& target) const {
  const auto& path = target.segments;
  const PodWorker* pod = hands.pods.find(path[1], path[2]);
  if (!pod) return fail(Reason::NotFound, "pod \"{}\" is not on this node", path[2]);
  for (const auto* containers : {&pod->state().main, &pod->state().init}) {
    const auto found = containers->find(path[3]);
    if (found != containers->end()) return &found->second;
  }
  return fail(Reason::BadRequest, "container {} is not valid for pod {}", path[3], path[2]);
}

// --- logs

void NodeServer::State::logs(std::shared_ptr<Exchange> exchange) {
  auto options = log_options(exchange->target(), hands.loop.clock().wall());
  if (!options) return answer_error(*exchange, options.error());
  hands.loop.post([self = shared_from_this(), exchange, options = *options] {
    self->stream_logs(exchange, options);
  });
}

void NodeServer::State::stream_logs(std::shared_ptr<Exchange> exchange, LogOptions options) {
  const HttpTarget& target = exchange->target();
  const auto run = find(target);
  if (!run) return answer_error(*exchange, run.error());
  const bool previous = is_set(target, "previous");
  const std::string id = previous ? ((*run)->last ? (*run)->last->container_id : "") : (*run)->id;
  const auto& path = target.segments;
  if (id.empty()) {
    const std::string& why = (*run)->waiting_reason;
    return answer_error(
        *exchange, (previous ? fail(Reason::BadRequest,
                                    "previous terminated container \"{}\" in pod \"{}\" not found",
                                    path[3], path[2])
                             : fail(Reason::BadRequest,
                                    "container \"{}\" in pod \"{}\" is waiting to start: {}",
                                    path[3], path[2], why.empty() ? "ContainerCreating" : why))
                       .error());
  }
  const auto container = hands.runtime.find_container(id);
  if (!container) return answer_error(*exchange, container.error());
  auto reader = LogReader::open(container->log_path, options);
  if (!reader) return answer_error(*exchange, reader.error());
  auto wait = std::make_shared<std::uint64_t>(0);
  LogStream::Source source{
      .reader = std::move(*reader),
      .path = container->log_path,
      .follow = is_set(target, "follow"),
      .closed = [self = shared_from_this(), wait] {
        self->hands.loop.post([self, wait] { self->hands.runtime.forget_wait(*wait); });
      }};
  auto stream =
      std::make_shared<LogStream>(hands.stream_loop, std::move(source),
                                  exchange->stream({.headers = {{"Content-Type", "text/plain"}}}));
  SystemLoop& stream_loop = hands.stream_loop;
  *wait = hands.runtime.when_ended(
      id, [stream, &stream_loop] { stream_loop.post([stream] { stream->container_ended(); }); });
  stream_loop.post([stream] { stream->start(); });
}

// --- exec

void NodeServer::State::exec(std::shared_ptr<Exchange> exchange) {
  // A refusal before the upgrade is an ordinary answer, which clients can print.
  hands.loop.post([self = shared_from_this(), exchange] {
    const auto run = self->find(exchange->target());
    if (!run) return answer_error(*exchange, run.error());
    if ((*run)->phase != ContainerRun::Phase::Running) {
      return answer_error(*exchange, fail(Reason::BadRequest, "container not found (\"{}\")",
                                          exchange->target().segments[3])
                                         .error());
    }
    auto socket = exchange->accept_websocket(exec_subprotocols());
    if (!socket) return;  // answered
    Command command{.exchange = exchange, .exec_id = std::make_shared<std::uint64_t>(0)};
    command.session = std::make_shared<ExecSession>(
        self->hands.stream_loop, std::move(socket), [self, exec_id = command.exec_id] {
          self->hands.loop.post([self, exec_id] {
            if (*exec_id != 0) self->hands.runtime.spawner().signal_exec(*exec_id, SIGKILL);
          });
        });
    self->start_exec(command);
  });
}

void NodeServer::State::start_exec(const Command& command) {
  const HttpTarget& target = command.exchange->target();
  const auto session = command.session;
  isolation::ExecSpec spec;
  ExecEnds ends;
  auto failed = [this, session](const Error& error) {
    hands.stream_loop.post([session, error] { session->ended(std::unexpected(error)); });
  };
  const auto run = find(target);
  const auto container =
      run ? hands.runtime.find_container((*run)->id) : std::unexpected(run.error());
  if (!container) return failed(container.error());
  spec.container_id = (*run)->id;
  spec.cgroup = container->cgroup;
  for (const auto& [name, value] : target.query) {
    if (name == "command") spec.argv.push_back(value);
  }
  if (is_set(target, "tty")) {
    spec.terminal = isolation::TerminalSize{};
  } else {
    struct Wanted {
      const char* name;
      bool they_write;
      Fd &ours, &theirs;
    };
    const Wanted wanted[] = {{"stdin", false, ends.stdin_end, spec.stdin_end},
                             {"stdout", true, ends.stdout_end, spec.stdout_end},
                             {"stderr", true, ends.stderr_end, spec.stderr_end}};
    for (const Wanted& end : wanted) {
      if (!is_set(target, end.name)) continue;
      auto made = make_pipe(end.they_write);
      if (!made) return failed(made.error());
      end.ours = std::move(made->ours);
      end.theirs = std::move(made->theirs);
    }
  }
  auto shared_ends = std::make_shared<ExecEnds>(std::move(ends));
  hands.runtime.spawner().exec(
      std::move(spec),
      [this, session, shared_ends, failed,
       exec_id = command.exec_id](Result<isolation::ExecStarted> started) {
        if (!started) return failed(started.error());
        *exec_id = started->exec_id;
        shared_ends->terminal = std::move(started->terminal);
        hands.stream_loop.post(
            [session, shared_ends] { session->started(std::move(*shared_ends)); });
      },
      [this, session](Result<isolation::ExitStatus> status) {
        hands.stream_loop.post([session, status = std::move(status)] { session->ended(status); });
      });
}

}  // namespace keelson
