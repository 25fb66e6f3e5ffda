// Random bits: what is made of them has the shape Kubernetes expects.
#include "base/random.h"

#include <set>

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Random){};

TEST(Random, same_seed_same_names) {
  SeededRandom a(7), b(7);
  CHECK_EQUAL(random_uid(a), random_uid(b));
  CHECK_EQUAL(random_suffix(a, 5), random_suffix(b, 5));
}

TEST(Random, uid_is_version_4) {
  SeededRandom random(1);
  for (int i = 0; i < 100; ++i) {
    const std::string uid = random_uid(random);
    LONGS_EQUAL(36, uid.size());
    CHECK_EQUAL('4', uid[14]);
    CHECK(std::string("89ab").find(uid[19]) != std::string::npos);
  }
}

TEST(Random, suffix_uses_only_the_safe_alphabet) {
  SystemRandom random;
  const std::string suffix = random_suffix(random, 200);
  CHECK(suffix.find_first_not_of(safe_alphabet) == std::string::npos);
}

TEST(Random, below_reaches_every_value) {
  SeededRandom random(3);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(random.below(7));
  LONGS_EQUAL(7, seen.size());
}
