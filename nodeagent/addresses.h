// Which addresses of the node's block are whose. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/error.h"

namespace keelson {

// An IPv4 block, "10.88.1.0/24": its first and last address are not given out, nor the one after
// the first, which is the gateway's by custom.
class AddressPool {
 public:
  static Result<AddressPool> of(const std::string& cidr);

  // The next free one after the last given: an address rests as long as possible before it is
  // another pod's. ServiceUnavailable: none is left.
  Result<std::string> take(const std::string& owner);
  // An earlier agent gave it. Conflict: it is another's.
  Result<> keep(const std::string& address, const std::string& owner);
  void release(const std::string& owner);
  const std::string& cidr() const { return cidr_; }

 private:
  std::string cidr_;
  std::uint32_t first_ = 0, last_ = 0, next_ = 0;  // host order
  std::map<std::uint32_t, std::string> owners_;
};

std::string ipv4_text(std::uint32_t address);  // host order
Result<std::uint32_t> parse_ipv4(const std::string& text);

}  // namespace keelson
