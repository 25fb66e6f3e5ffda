// rtnetlink by libmnl: one message, one answer.
#include <arpa/inet.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <functional>
#include <thread>

#include "isolation/veth.h"

namespace keelson::isolation {
namespace {

constexpr std::size_t message_max = 1024;   // of ours; the longest has two names and two MACs
constexpr std::size_t answer_max = 32'768;  // what the kernel puts into one datagram

int address_bytes(int family) {
  return family == AF_INET6 ? 16 : 4;
}

// Runs it in a thread that has entered the namespace; ours is not touched.
Result<> run_in(int net_namespace_fd, const std::function<Result<>()>& work) {
  Result<> result;
  std::thread([&] {
    if (setns(net_namespace_fd, CLONE_NEWNET) < 0) {
      result = fail_errno(errno, "enter a network namespace");
    } else {
      result = work();
    }
  }).join();
  return result;
}

struct MnlClose {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};
using MnlSocket = std::unique_ptr<mnl_socket, MnlClose>;

Result<MnlSocket> open_socket() {
  MnlSocket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    return fail_errno(errno, "open a netlink socket");
  }
  return socket;
}

// A message being built.
class Message {
 public:
  Message(std::uint16_t type, std::uint16_t flags) : head_(mnl_nlmsg_put_header(bytes_)) {
    head_->nlmsg_type = type;
    head_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  }
  template <typename T>
  T& extra() {
    return *static_cast<T*>(mnl_nlmsg_put_extra_header(head_, sizeof(T)));
  }
  void put(std::uint16_t type, std::string_view text) {
    mnl_attr_put_strz(head_, type, std::string(text).c_str());
  }
  void put(std::uint16_t type, std::uint32_t number) { mnl_attr_put_u32(head_, type, number); }
  void put(std::uint16_t type, const MacAddress& mac) {
    mnl_attr_put(head_, type, mac.size(), mac.data());
  }
  void put(std::uint16_t type, const IpPrefix& prefix) {
    mnl_attr_put(head_, type, static_cast<std::size_t>(address_bytes(prefix.family)),
                 prefix.address.data());
  }
  void nest(std::uint16_t type, const std::function<void()>& inner) {
    nlattr* const nested = mnl_attr_nest_start(head_, type);
    inner();
    mnl_attr_nest_end(head_, nested);
  }
  nlmsghdr* head() { return head_; }

 private:
  alignas(nlmsghdr) char bytes_[message_max] = {};
  nlmsghdr* head_;
};

bool is_link_name(const std::string& name) {
  return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
         name.find_first_of("/ \t\n:") == std::string::npos;
}

LinkInfo read_link(const nlmsghdr* answer) {
  const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(answer));
  LinkInfo info{.index = link->ifi_index, .up = (link->ifi_flags & IFF_UP) != 0};
  const auto each = [](const nlattr* attribute, void* data) {
    auto& out = *static_cast<LinkInfo*>(data);
    const auto type = mnl_attr_get_type(attribute);
    if (type == IFLA_IFNAME) out.name = mnl_attr_get_str(attribute);
    if (type == IFLA_IFALIAS) out.alias = mnl_attr_get_str(attribute);
    if (type == IFLA_ADDRESS && mnl_attr_get_payload_len(attribute) == out.mac.size()) {
      std::memcpy(out.mac.data(), mnl_attr_get_payload(attribute), out.mac.size());
    }
    return MNL_CB_OK;
  };
  mnl_attr_parse(answer, sizeof(ifinfomsg), each, &info);
  return info;
}

}  // namespace

struct Network::Impl {
  MnlSocket socket;
  std::uint32_t sequence = 0;

  using OnAnswer = std::function<void(const nlmsghdr*)>;

  // 0, or the kernel's errno.
  int talk(Message& message, const OnAnswer& on_answer = {}) {
    const bool is_dump = (message.head()->nlmsg_flags & NLM_F_DUMP) != 0;
    if (!is_dump) message.head()->nlmsg_flags |= NLM_F_ACK;
    message.head()->nlmsg_seq = ++sequence;
    if (mnl_socket_sendto(socket.get(), message.head(), message.head()->nlmsg_len) < 0) {
      return errno;
    }
    auto each = [](const nlmsghdr* answer, void* data) {
      const auto& handler = *static_cast<const OnAnswer*>(data);
      if (handler) handler(answer);
      return MNL_CB_OK;
    };
    std::string buffer(answer_max, '\0');
    int more = MNL_CB_OK;
    while (more > MNL_CB_STOP) {
      const auto got = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
      if (got < 0) return errno;
      more =
          mnl_cb_run(buffer.data(), static_cast<std::size_t>(got), sequence,
                     mnl_socket_get_portid(socket.get()), each, const_cast<OnAnswer*>(&on_answer));
    }
    return more < 0 ? errno : 0;
  }

  Result<int> index_of(const std::string& name) {
    if (!is_link_name(name)) return fail(Reason::Invalid, "link {}: bad name", name);
    Message message(RTM_GETLINK, 0);
    message.extra<ifinfomsg>();
    message.put(IFLA_IFNAME, name);
    int index = 0;
    const int error = talk(message, [&](const nlmsghdr* answer) {
      index = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(answer))->ifi_index;
    });
    if (error != 0) return fail_errno(error, "link {}", name);
    return index;
  }

  // A change of a link that is there.
  Result<> set_link(const std::string& name, const char* what,
                    const std::function<void(Message&, ifinfomsg&)>& change) {
    auto index = index_of(name);
    if (!index) return index.error().during("{}", what);
    Message message(RTM_NEWLINK, 0);
    auto& link = message.extra<ifinfomsg>();
    link.ifi_index = *index;
    change(message, link);
    const int error = talk(message);
    if (error != 0) return fail_errno(error, "{} of link {}", what, name);
    return {};
  }

  Result<> fill_route(const Route& route, Message& message) {
    auto& extra = message.extra<rtmsg>();
    extra.rtm_family = static_cast<std::uint8_t>(route.destination.family);
    extra.rtm_dst_len = static_cast<std::uint8_t>(route.destination.length);
    extra.rtm_table = RT_TABLE_MAIN;
    extra.rtm_protocol = RTPROT_STATIC;
    extra.rtm_type = route.unreachable ? RTN_UNREACHABLE : RTN_UNICAST;
    const bool is_direct = !route.gateway && !route.unreachable && !route.link.empty();
    extra.rtm_scope = is_direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    if (route.on_link) extra.rtm_flags = RTNH_F_ONLINK;
    if (route.destination.length > 0) message.put(RTA_DST, route.destination);
    if (route.gateway) message.put(RTA_GATEWAY, *route.gateway);
    if (route.source) message.put(RTA_PREFSRC, *route.source);
    if (route.link.empty()) return {};
    auto index = index_of(route.link);
    if (!index) return std::unexpected(index.error());
    message.put(RTA_OIF, static_cast<std::uint32_t>(*index));
    return {};
  }
};

Network::Network(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;
Network::~Network() = default;

Result<Network> Network::open(int net_namespace_fd) {
  auto impl = std::make_unique<Impl>();
  const auto open_here = [&]() -> Result<> {
    auto socket = open_socket();
    if (!socket) return std::unexpected(socket.error());
    impl->socket = std::move(*socket);
    return {};
  };
  auto opened = net_namespace_fd < 0 ? open_here() : run_in(net_namespace_fd, open_here);
  if (!opened) return std::unexpected(opened.error());
  return Network(std::move(impl));
}

Result<> Network::add_veth(const std::string& name, const VethPeer& peer, int mtu) {
  if (!is_link_name(name) || !is_link_name(peer.name)) {
    return fail(Reason::Invalid, "veth {} and {}: bad name", name, peer.name);
  }
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  // Ours is up from the start; the peer cannot be, before its pair is there (ENOTCONN, and 15 ms).
  auto& link = message.extra<ifinfomsg>();
  link.ifi_flags = link.ifi_change = IFF_UP;
  message.put(IFLA_IFNAME, name);
  if (mtu > 0) message.put(IFLA_MTU, static_cast<std::uint32_t>(mtu));
  message.nest(IFLA_LINKINFO, [&] {
    message.put(IFLA_INFO_KIND, "veth");
    message.nest(IFLA_INFO_DATA, [&] {
      message.nest(VETH_INFO_PEER, [&] {
        message.extra<ifinfomsg>();
        message.put(IFLA_IFNAME, peer.name);
        if (mtu > 0) message.put(IFLA_MTU, static_cast<std::uint32_t>(mtu));
        if (peer.mac) message.put(IFLA_ADDRESS, *peer.mac);
        if (peer.net_namespace_fd >= 0) {
          message.put(IFLA_NET_NS_FD, static_cast<std::uint32_t>(peer.net_namespace_fd));
        }
      });
    });
  });
  const int error = impl_->talk(message);
  if (error != 0) return fail_errno(error, "add veth {} with {}", name, peer.name);
  return {};
}

Result<> Network::add_bridge(const std::string& name) {
  if (!is_link_name(name)) return fail(Reason::Invalid, "bridge {}: bad name", name);
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.extra<ifinfomsg>();
  message.put(IFLA_IFNAME, name);
  message.nest(IFLA_LINKINFO, [&] { message.put(IFLA_INFO_KIND, "bridge"); });
  const int error = impl_->talk(message);
  if (error != 0 && error != EEXIST) return fail_errno(error, "add bridge {}", name);
  return {};
}

Result<> Network::set_bridge(const std::string& link, const std::string& bridge) {
  std::uint32_t master = 0;
  if (!bridge.empty()) {
    auto index = impl_->index_of(bridge);
    if (!index) return std::unexpected(index.error());
    master = static_cast<std::uint32_t>(*index);
  }
  return impl_->set_link(link, "bridge",
                         [&](Message& message, ifinfomsg&) { message.put(IFLA_MASTER, master); });
}

Result<> Network::set_up(const std::string& link) {
  return impl_->set_link(
      link, "set up", [](Message&, ifinfomsg& info) { info.ifi_flags = info.ifi_change = IFF_UP; });
}

Result<> Network::set_alias(const std::string& link, const std::string& alias) {
  if (alias.size() >= 256) return fail(Reason::Invalid, "alias of {}: at most 255 bytes", link);
  return impl_->set_link(link, "alias",
                         [&](Message& message, ifinfomsg&) { message.put(IFLA_IFALIAS, alias); });
}

Result<> Network::remove_link(const std::string& link) {
  auto index = impl_->index_of(link);
  if (!index)
    return index.error().reason == Reason::NotFound ? Result<>() : std::unexpected(index.error());
  Message message(RTM_DELLINK, 0);
  message.extra<ifinfomsg>().ifi_index = *index;
  const int error = impl_->talk(message);
  if (error != 0 && error != ENODEV) return fail_errno(error, "remove link {}", link);
  return {};
}

Result<> Network::add_address(const std::string& link, const IpPrefix& address) {
  auto index = impl_->index_of(link);
  if (!index) return std::unexpected(index.error());
  Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
  auto& extra = message.extra<ifaddrmsg>();
  extra.ifa_family = static_cast<std::uint8_t>(address.family);
  extra.ifa_prefixlen = static_cast<std::uint8_t>(address.length);
  extra.ifa_index = static_cast<std::uint32_t>(*index);
  extra.ifa_flags = address.family == AF_INET6 ? IFA_F_NODAD : 0;  // nobody else may have it
  message.put(IFA_LOCAL, address);
  message.put(IFA_ADDRESS, address);
  const int error = impl_->talk(message);
  if (error != 0) return fail_errno(error, "add address {} to {}", to_string(address), link);
  return {};
}

Result<> Network::add_route(const Route& route) {
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
  auto filled = impl_->fill_route(route, message);
  if (!filled) return filled;
  const int error = impl_->talk(message);
  if (error != 0) return fail_errno(error, "add route to {}", to_string(route.destination));
  return {};
}

Result<> Network::remove_route(const Route& route) {
  Message message(RTM_DELROUTE, 0);
  auto filled = impl_->fill_route(route, message);
  if (!filled) {
    return filled.error().reason == Reason::NotFound ? Result<>() : filled;  // its link is gone
  }
  const int error = impl_->talk(message);
  if (error != 0 && error != ESRCH) {
    return fail_errno(error, "remove route to {}", to_string(route.destination));
  }
  return {};
}

Result<> Network::add_neighbour(const std::string& link, const IpPrefix& address,
                                const MacAddress& mac) {
  auto index = impl_->index_of(link);
  if (!index) return std::unexpected(index.error());
  Message message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
  auto& extra = message.extra<ndmsg>();
  extra.ndm_family = static_cast<std::uint8_t>(address.family);
  extra.ndm_ifindex = *index;
  extra.ndm_state = NUD_PERMANENT;
  message.put(NDA_DST, address);
  message.put(NDA_LLADDR, mac);
  const int error = impl_->talk(message);
  if (error != 0) return fail_errno(error, "add neighbour {} of {}", to_string(address), link);
  return {};
}

Result<LinkInfo> Network::link(const std::string& name) {
  if (!is_link_name(name)) return fail(Reason::Invalid, "link {}: bad name", name);
  Message message(RTM_GETLINK, 0);
  message.extra<ifinfomsg>();
  message.put(IFLA_IFNAME, name);
  LinkInfo info;
  const int error = impl_->talk(message, [&](const nlmsghdr* answer) { info = read_link(answer); });
  if (error != 0) return fail_errno(error, "link {}", name);
  return info;
}

Result<std::vector<LinkInfo>> Network::links() {
  Message message(RTM_GETLINK, NLM_F_DUMP);
  message.extra<ifinfomsg>();
  std::vector<LinkInfo> links;
  const int error =
      impl_->talk(message, [&](const nlmsghdr* answer) { links.push_back(read_link(answer)); });
  if (error != 0) return fail_errno(error, "list links");
  return links;
}

Result<IpPrefix> parse_prefix(const std::string& text) {
  IpPrefix prefix;
  const auto slash = text.find('/');
  const std::string address = text.substr(0, slash);
  prefix.family = address.contains(':') ? AF_INET6 : AF_INET;
  if (inet_pton(prefix.family, address.c_str(), prefix.address.data()) != 1) {
    return fail(Reason::Invalid, "{}: is no address", text);
  }
  const int most = address_bytes(prefix.family) * 8;
  prefix.length = most;
  if (slash != std::string::npos) {
    const char* const first = text.data() + slash + 1;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(first, last, prefix.length);
    if (error != std::errc() || end != last || prefix.length < 0 || prefix.length > most) {
      return fail(Reason::Invalid, "{}: is no prefix length", text);
    }
  }
  return prefix;
}

std::string to_string(const IpPrefix& prefix) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(prefix.family, prefix.address.data(), text, sizeof text);
  return std::string(text) + "/" + std::to_string(prefix.length);
}

Result<Fd> own_net_namespace() {
  Fd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(errno, "open our network namespace");
  return fd;
}

Result<Fd> make_net_namespace() {
  Result<Fd> made = fail(Reason::InternalError, "not tried");
  std::thread([&] {
    if (unshare(CLONE_NEWNET) < 0) {
      made = fail_errno(errno, "make a network namespace");
      return;
    }
    auto network = Network::open();
    auto up = network ? network->set_up("lo") : Result<>(std::unexpected(network.error()));
    made = up ? own_net_namespace() : Result<Fd>(std::unexpected(up.error()));
  }).join();
  return made;
}

Result<> set_net_sysctl(int net_namespace_fd, const std::string& name, const std::string& value) {
  return run_in(net_namespace_fd, [&]() -> Result<> {
    const std::string path = "/proc/sys/" + name;
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file) return fail_errno(errno, "open {}", path);
    if (::write(file.get(), value.data(), value.size()) < 0) {
      return fail_errno(errno, "write {} to {}", value, path);
    }
    return {};
  });
}

}  // namespace keelson::isolation
