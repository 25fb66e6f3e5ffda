// First free after the last given, around the block.
#include "nodeagent/addresses.h"

#include <arpa/inet.h>

#include <charconv>

namespace keelson {

std::string ipv4_text(std::uint32_t address) {
  const in_addr be{htonl(address)};
  char text[INET_ADDRSTRLEN];
  return ::inet_ntop(AF_INET, &be, text, sizeof text);
}

Result<std::uint32_t> parse_ipv4(const std::string& text) {
  in_addr be{};
  if (::inet_pton(AF_INET, text.c_str(), &be) != 1) {
    return fail(Reason::Invalid, "\"{}\" is no IPv4 address", text);
  }
  return ntohl(be.s_addr);
}

Result<AddressPool> AddressPool::of(const std::string& cidr) {
  const auto slash = cidr.find('/');
  const auto base = parse_ipv4(cidr.substr(0, slash));
  int length = -1;
  if (slash != std::string::npos) {
    const char* end = cidr.data() + cidr.size();
    const auto parsed = std::from_chars(cidr.data() + slash + 1, end, length);
    if (parsed.ptr != end) length = -1;
  }
  // Smaller blocks than /29 hold no pod; larger ones than /8 are a mistake.
  if (!base || length < 8 || length > 29) {
    return fail(Reason::Invalid, "\"{}\" is no block of pod addresses: wanted is a.b.c.d/8…29",
                cidr);
  }
  const std::uint32_t mask = ~std::uint32_t{0} << (32 - length);
  AddressPool pool;
  pool.cidr_ = cidr;
  pool.first_ = (*base & mask) + 2;
  pool.last_ = (*base | ~mask) - 1;
  pool.next_ = pool.first_;
  return pool;
}

Result<std::string> AddressPool::take(const std::string& owner) {
  const std::uint32_t size = last_ - first_ + 1;
  for (std::uint32_t tried = 0; tried < size; ++tried) {
    const std::uint32_t address = next_;
    next_ = next_ == last_ ? first_ : next_ + 1;
    if (owners_.try_emplace(address, owner).second) return ipv4_text(address);
  }
  return fail(Reason::ServiceUnavailable, "no address is left in {}: {} pods have one", cidr_,
              owners_.size());
}

Result<> AddressPool::keep(const std::string& text, const std::string& owner) {
  const auto address = parse_ipv4(text);
  if (!address) return std::unexpected(address.error());
  const auto [at, is_new] = owners_.try_emplace(*address, owner);
  if (!is_new && at->second != owner) {
    return fail(Reason::Conflict, "{} is {}'s and {}'s", text, at->second, owner);
  }
  return {};
}

void AddressPool::release(const std::string& owner) {
  std::erase_if(owners_, [&owner](const auto& entry) { return entry.second == owner; });
}

}  // namespace keelson
