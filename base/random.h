// Random bits, handed in: uids, generated names, jitter and tie-breaks come from here and nowhere
// else.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace keelson {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;

  std::uint64_t below(std::uint64_t bound);  // uniform in [0, bound); bound > 0
};

class SystemRandom final : public Random {  // getrandom(2)
 public:
  std::uint64_t next() override;
};

class SeededRandom final : public Random {  // same seed, same sequence
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

// Letters and digits that spell no words and look like no others: what Kubernetes puts behind
// generateName.
inline constexpr std::string_view safe_alphabet = "bcdfghjklmnpqrstvwxz2456789";

std::string random_suffix(Random& random, int length);  // of safe_alphabet
std::string random_uid(Random& random);                 // RFC 4122 version 4, lower case

}  // namespace keelson
