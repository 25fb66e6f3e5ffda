// Random bits from the kernel, and the names made of them.
#include "base/random.h"

#include <fmt/core.h>
#include <sys/random.h>

#include <cstdlib>

namespace keelson {

std::uint64_t Random::below(std::uint64_t bound) {
  // Rejection keeps it uniform: values above the largest multiple of bound are drawn again.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value = next();
  while (value >= limit) value = next();
  return value % bound;
}

std::uint64_t SystemRandom::next() {
  std::uint64_t value = 0;
  // Cannot fail for 8 bytes once the kernel's pool is seeded, which is before any of us runs.
  if (::getrandom(&value, sizeof value, 0) != sizeof value) std::abort();
  return value;
}

std::string random_suffix(Random& random, int length) {
  std::string text;
  for (int i = 0; i < length; ++i) text += safe_alphabet[random.below(safe_alphabet.size())];
  return text;
}

std::string random_uid(Random& random) {
  const std::uint64_t high = random.next();
  const std::uint64_t low = random.next();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xfff, 0x8000 | (low >> 48 & 0x3fff), low & 0xffffffffffff);
}

}  // namespace keelson
