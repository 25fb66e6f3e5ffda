// Random start, then the next free one.
#include "control/registry/number_pool.h"

namespace keelson {

void NumberPool::give_back(Number number) {
  auto holder = holders_.find(number);
  if (holder != holders_.end() && --holder->second == 0) holders_.erase(holder);
}

std::optional<NumberPool::Number> NumberPool::pick(Random& random,
                                                   const std::set<Number>& but_not) const {
  auto number = pick_from(reserved_, size_, random, but_not);
  return number ? number : pick_from(0, reserved_, random, but_not);
}

std::optional<NumberPool::Number> NumberPool::pick_from(Number first, Number end, Random& random,
                                                        const std::set<Number>& but_not) const {
  if (first >= end) return std::nullopt;
  const Number count = end - first;
  const auto start = static_cast<Number>(random.below(count));
  for (Number step = 0; step < count; ++step) {
    const Number number = first + (start + step) % count;
    if (!is_taken(number) && !but_not.contains(number)) return number;
  }
  return std::nullopt;
}

}  // namespace keelson
