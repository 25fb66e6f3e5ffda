// keelson server: the control plane of a cluster in one process.
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include "base/log.h"
#include "base/net.h"
#include "cli/issue.h"
#include "cli/subcommand.h"
#include "cli/version.h"
#include "control/registry/bootstrap.h"
#include "control/server/certificates.h"
#include "control/server/server.h"
#include "control/store/sqlite.h"

namespace keelson::cli {
namespace {

constexpr Duration stop_grace = 10s;          // for requests in work when the server is to end
constexpr Duration renewal_period = 12 * 1h;  // how often certificates are looked at
constexpr int store_failed = 3;               // exit code: start again, from what is durable

struct Options {
  std::string data = "/var/lib/keelson/server";
  std::vector<std::string> listen;
  std::string advertise;
  ServiceRanges services;
  std::string node_ports = "30000-32767";
  std::string log_level = "info";
  int io_threads = 2;
};

void need(Result<> result) {
  if (!result) fail_with("server", result.error().message);
}
template <typename T>
T need(Result<T> result) {
  if (!result) fail_with("server", result.error().message);
  return std::move(*result);
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail_with("server", "make the folder " + path + ": " + error.message());
  ::chmod(path.c_str(), 0700);  // keys and Secrets are in it
}

// "30000-32767"
void parse_node_ports(const std::string& text, ServiceRanges& ranges) {
  unsigned first = 0, last = 0;
  char rest = 0;
  const int read = std::sscanf(text.c_str(), "%u-%u%c", &first, &last, &rest);
  if (read != 2 || first == 0 || first > last || last > 65'535) {
    fail_with("server", "--node-port-range: \"" + text + "\" is no range like 30000-32767");
  }
  ranges.node_port_first = first;
  ranges.node_port_last = last;
}

// The first IPv4 address of this host that others may reach; "" if there is none.
std::string first_address() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return "";
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(all, ::freeifaddrs);
  for (const ifaddrs* each = all; each; each = each->ifa_next) {
    const bool is_up = (each->ifa_flags & IFF_UP) && !(each->ifa_flags & IFF_LOOPBACK);
    if (!is_up || !each->ifa_addr || each->ifa_addr->sa_family != AF_INET) continue;
    char text[NI_MAXHOST];
    if (::getnameinfo(each->ifa_addr, sizeof(sockaddr_in), text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      return text;
    }
  }
  return "";
}

// One cluster's control plane: what lives as long as the process, in the order it is needed.
class ControlPlane {
 public:
  explicit ControlPlane(const Options& options);
  void run();

 private:
  void serve();
  std::vector<Fd> open_listeners() const;
  void renew_certificates();
  ServerCertificates load_certificates() const;
  std::string advertised_host() const;

  const Options& options_;
  const Limits limits_;
  SystemLoop core_;
  SystemRandom random_;
  std::unique_ptr<SqliteDurable> durable_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Server> server_;
  Pending renewal_;
};

ControlPlane::ControlPlane(const Options& options) : options_(options) {
  make_folder(options.data);
  durable_ = need(SqliteDurable::open(options.data + "/store.db", core_, limits_));
  store_ = std::make_unique<Store>(core_, *durable_, limits_, [](const Error& error) {
    // What could not be made durable cannot be taken back: end, and start from what is.
    log_error("the store has failed", {{"error", error.message}});
    std::_Exit(store_failed);
  });
  need(store_->load());
  registry_ = std::make_unique<Registry>(*store_, core_, random_, limits_, options.services);
}

// Where nodes and pods reach us: what is listened on, if nobody said; never loopback, which is
// theirs.
std::string ControlPlane::advertised_host() const {
  if (!options_.advertise.empty()) return options_.advertise;
  for (const std::string& address : options_.listen) {
    auto parsed = parse_host_port(address);
    if (parsed && parsed->host != "0.0.0.0" && !parsed->host.starts_with("127.")) {
      return parsed->host;
    }
  }
  const std::string own = first_address();
  if (!own.empty()) return own;
  fail_with("server", "this host has only loopback addresses: say --advertise-address");
}

ServerCertificates ControlPlane::load_certificates() const {
  std::vector<std::string> addresses{advertised_host()};
  for (const std::string& address : options_.listen) {
    auto parsed = parse_host_port(address);
    const bool is_named = parsed && parsed->host != "0.0.0.0" && parsed->host != "::";
    if (is_named && std::ranges::find(addresses, parsed->host) == addresses.end()) {
      addresses.push_back(parsed->host);
    }
  }
  return need(ServerCertificates::load(options_.data + "/pki", addresses,
                                       registry_->service_addresses().first_address(),
                                       core_.clock().wall()));
}

void ControlPlane::renew_certificates() {
  renewal_ = core_.after(renewal_period, [this] {
    server_->set_certificates(load_certificates().serving);
    renew_certificates();
  });
}

// What was asked for first, then what was passed in.
std::vector<Fd> ControlPlane::open_listeners() const {
  std::vector<Fd> inherited = take_inherited_listeners();
  std::vector<std::string> addresses = options_.listen;
  if (addresses.empty() && inherited.empty()) addresses.push_back("127.0.0.1:6443");
  std::vector<Fd> listeners;
  for (const std::string& address : addresses) listeners.push_back(need(listen_on(address)));
  std::ranges::move(inherited, std::back_inserter(listeners));
  return listeners;
}

// Requests that come before all is ready wait: the core has not begun its turns.
void ControlPlane::serve() {
  const ServerCertificates certificates = load_certificates();
  const std::string host = advertised_host();
  std::vector<Fd> listeners = open_listeners();
  const std::uint16_t port = need(parse_host_port(local_address(listeners.front().get()))).port;
  need(bootstrap(*registry_, {.address = host, .port = port}));
  server_ = std::make_unique<Server>(
      core_, *registry_, limits_,
      ServerOptions{.serving = certificates.serving,
                    .to_nodes = certificates.to_nodes,
                    .version = {.git_version = kubernetes_version, .git_commit = keelson_commit},
                    .advertised_address = fmt::format("{}:{}", host, port),
                    .io_threads = options_.io_threads});
  for (Fd& listener : listeners) {
    log_info("listening", {{"address", local_address(listener.get())}});
    server_->listen(std::move(listener));
  }
  renew_certificates();
}

void ControlPlane::run() {
  serve();
  bool stopping = false;
  Pending signals = core_.on_signal({SIGTERM, SIGINT}, [&](int signal) {
    if (std::exchange(stopping, true)) return core_.stop();  // asked twice: at once
    log_info("stopping", {{"signal", signal}});
    server_->stop(stop_grace, [this] { core_.stop(); });
  });
  core_.run();
  server_.reset();
}

void run_server(const Options& options) {
  set_log_component("server");
  if (options.log_level == "debug") set_log_level(LogLevel::Debug);
  if (options.log_level == "warn") set_log_level(LogLevel::Warn);
  ::umask(0077);
  ControlPlane(options).run();
}

}  // namespace

void add_server(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* server = program.add_subcommand("server", "Run the control plane");
  server->require_subcommand(0, 1);
  server->add_option("--data-dir", options->data, "Where its state and keys are")
      ->capture_default_str();
  server->add_option("--listen", options->listen,
                     "Address and port of the API; may be given again. Listeners that are passed "
                     "in (LISTEN_FDS) are served as well [127.0.0.1:6443 if there are none]");
  server->add_option("--advertise-address", options->advertise,
                     "Where nodes and pods reach the API [the first address listened on]");
  server->add_option("--service-cidr", options->services.cidr, "Addresses of Services")
      ->capture_default_str();
  server->add_option("--node-port-range", options->node_ports, "Ports of NodePort Services")
      ->capture_default_str();
  server->add_option("--io-threads", options->io_threads, "Threads for TLS, reading and encoding")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  server->add_option("--log-level", options->log_level, "debug, info or warn")
      ->check(CLI::IsMember({"debug", "info", "warn"}))
      ->capture_default_str();
  add_issue(*server);
  server->callback([server, options] {
    if (!server->get_subcommands().empty()) return;
    parse_node_ports(options->node_ports, options->services);
    run_server(*options);
  });
}

}  // namespace keelson::cli
