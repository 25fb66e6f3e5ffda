// Addresses of pods: each once, freed ones last.
#include "nodeagent/addresses.h"

#include <set>

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Addresses){};

TEST(Addresses, gives_each_address_once_and_says_when_none_is_left) {
  auto pool = AddressPool::of("10.88.1.0/29");
  std::set<std::string> given;
  for (int i = 0; i < 5; ++i) given.insert(*pool->take(std::to_string(i)));
  LONGS_EQUAL(5, given.size());
  CHECK_EQUAL(std::string("10.88.1.2"), *given.begin());
  CHECK_EQUAL(std::string("10.88.1.6"), *given.rbegin());
  const auto none = pool->take("late");
  CHECK(!none);
  CHECK_EQUAL(std::string("no address is left in 10.88.1.0/29: 5 pods have one"),
              none.error().message);
}

TEST(Addresses, a_freed_address_rests_until_the_others_were_given) {
  auto pool = AddressPool::of("10.88.1.0/29");
  CHECK_EQUAL(std::string("10.88.1.2"), *pool->take("a"));
  pool->release("a");
  for (const char* wanted : {"10.88.1.3", "10.88.1.4", "10.88.1.5", "10.88.1.6", "10.88.1.2"}) {
    CHECK_EQUAL(std::string(wanted), *pool->take(wanted));
  }
}

TEST(Addresses, what_an_earlier_agent_gave_is_kept) {
  auto pool = AddressPool::of("10.88.1.0/24");
  CHECK(pool->keep("10.88.1.2", "a").has_value());
  CHECK(pool->keep("10.88.1.2", "a").has_value());
  CHECK(!pool->keep("10.88.1.2", "b"));
  CHECK_EQUAL(std::string("10.88.1.3"), *pool->take("c"));
}

TEST(Addresses, refuses_what_is_no_block) {
  for (const char* text :
       {"", "10.88.1.0", "10.88.1.0/30", "10.88.1.0/x", "10.0.0.0/4", "::/64", "10.88.1.0/24x"}) {
    CHECK_TEXT(!AddressPool::of(text), text);
  }
}
