// RTM_NEWADDR by libmnl.
#include "proxy/local_address.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>

#include "proxy/ipv4.h"

namespace keelson::proxy {

Result<> add_local_address(std::uint32_t address_be) {
  const std::unique_ptr<mnl_socket, int (*)(mnl_socket*)> netlink(
      ::mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC), ::mnl_socket_close);
  if (!netlink || ::mnl_socket_bind(netlink.get(), 0, MNL_SOCKET_AUTOPID) != 0)
    return fail_errno(errno, "open rtnetlink");

  std::array<char, 1024> buffer{};
  nlmsghdr* message = ::mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = RTM_NEWADDR;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
  message->nlmsg_seq = 1;
  auto* address = static_cast<ifaddrmsg*>(::mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)));
  address->ifa_family = AF_INET;
  address->ifa_prefixlen = 32;
  address->ifa_scope = RT_SCOPE_LINK;  // no source address for packets that leave
  address->ifa_index = ::if_nametoindex("lo");
  ::mnl_attr_put_u32(message, IFA_LOCAL, address_be);
  ::mnl_attr_put_u32(message, IFA_ADDRESS, address_be);
  if (::mnl_socket_sendto(netlink.get(), message, message->nlmsg_len) < 0)
    return fail_errno(errno, "add {} to lo", ipv4_text(address_be));
  const ssize_t length = ::mnl_socket_recvfrom(netlink.get(), buffer.data(), buffer.size());
  const unsigned port = ::mnl_socket_get_portid(netlink.get());
  if (length < 0 ||
      ::mnl_cb_run(buffer.data(), static_cast<std::size_t>(length), 1, port, nullptr, nullptr) < 0)
    return fail_errno(errno, "add {} to lo", ipv4_text(address_be));
  return {};
}

}  // namespace keelson::proxy
