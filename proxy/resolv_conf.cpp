// resolv.conf(5): the nameserver lines.
#include "proxy/resolv_conf.h"

#include <fmt/format.h>
#include <netdb.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace keelson::proxy {
namespace {

constexpr std::size_t nameservers_max = 3;  // MAXNS of <resolv.h>

bool read_address(const std::string& text, std::uint16_t port, Nameserver& nameserver) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(text.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return false;
  std::memcpy(&nameserver.address, found->ai_addr, found->ai_addrlen);
  nameserver.length = found->ai_addrlen;
  nameserver.text = text;
  ::freeaddrinfo(found);
  return true;
}

}  // namespace

std::vector<Nameserver> parse_resolv_conf(std::string_view text, std::uint16_t port) {
  std::vector<Nameserver> nameservers;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line) && nameservers.size() < nameservers_max;) {
    std::istringstream words(line);
    std::string keyword, address;
    Nameserver nameserver;
    if (words >> keyword >> address && keyword == "nameserver" &&
        read_address(address, port, nameserver))
      nameservers.push_back(std::move(nameserver));
  }
  return nameservers;
}

Result<std::string> read_resolv_conf(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail_errno(errno, "open {}", path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace keelson::proxy
