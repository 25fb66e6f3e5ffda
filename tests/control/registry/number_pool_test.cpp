// Numbers that belong to one holder each.
#include "control/registry/number_pool.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(NumberPool) {
  SeededRandom random{1};
};

TEST(NumberPool, picks_behind_the_reserved_ones_first_and_then_from_them) {
  NumberPool pool(10, 4);
  for (int i = 0; i < 6; ++i) {
    const auto number = pool.pick(random, {});
    CHECK_TRUE(number && *number >= 4 && !pool.is_taken(*number));
    pool.take(*number);
  }
  for (int i = 0; i < 4; ++i) {
    const auto number = pool.pick(random, {});
    CHECK_TRUE(number && *number < 4);
    pool.take(*number);
  }
  CHECK_FALSE(pool.pick(random, {}).has_value());
  pool.give_back(7);
  LONGS_EQUAL(7, *pool.pick(random, {}));
}

TEST(NumberPool, picks_none_that_is_excluded) {
  const NumberPool pool(3, 0);
  LONGS_EQUAL(1, *pool.pick(random, {0, 2}));
  CHECK_FALSE(pool.pick(random, {0, 1, 2}).has_value());
}

TEST(NumberPool, counts_holders_so_that_a_clash_does_not_free_the_other_s) {
  NumberPool pool(3, 0);
  pool.take(1);
  pool.take(1);
  pool.give_back(1);
  CHECK_TRUE(pool.is_taken(1));
  pool.give_back(1);
  CHECK_FALSE(pool.is_taken(1));
  pool.give_back(1);  // nobody's
  CHECK_FALSE(pool.is_taken(1));
}

TEST(NumberPool, works_when_everything_is_reserved_or_nothing_is_there) {
  LONGS_EQUAL(0, *NumberPool(1, 1).pick(random, {}));
  CHECK_FALSE(NumberPool(0, 0).pick(random, {}).has_value());
}
