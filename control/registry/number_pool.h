// Numbers that belong to at most one holder each: addresses of a range, node ports.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/random.h"

namespace keelson {

// [0, size). The first `reserved` are for those who ask for one: what is picked comes from behind
// them while there is anything left there (upstream's "static band").
class NumberPool {
 public:
  using Number = std::uint32_t;
  NumberPool(Number size, Number reserved) : size_(size), reserved_(std::min(reserved, size)) {}

  Number size() const { return size_; }
  bool is_taken(Number number) const { return holders_.contains(number); }
  void take(Number number) { ++holders_[number]; }
  void give_back(Number number);
  // A free one, from a random place on; empty: there is none. Not taken yet.
  std::optional<Number> pick(Random& random, const std::set<Number>& but_not) const;

 private:
  std::optional<Number> pick_from(Number first, Number end, Random& random,
                                  const std::set<Number>& but_not) const;

  const Number size_, reserved_;
  std::unordered_map<Number, int> holders_;  // only looked up; 2 when a broken state has a clash
};

}  // namespace keelson
