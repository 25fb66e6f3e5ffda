// Errors: reasons are Kubernetes' words and codes; context grows outwards.
#include "base/error.h"

#include <cerrno>

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Error){};

TEST(Error, reason_has_its_word_and_code) {
  struct Case {
    Reason reason;
    const char* text;
    int status;
  };
  const Case cases[] = {{Reason::NotFound, "NotFound", 404},
                        {Reason::Invalid, "Invalid", 422},
                        {Reason::Timeout, "Timeout", 504},
                        {Reason::Unknown, "", 500},
                        {Reason::ServerTimeout, "ServerTimeout", 500}};
  for (const Case& c : cases) {
    CHECK_EQUAL_TEXT(std::string(c.text), std::string(to_string(c.reason)), c.text);
    LONGS_EQUAL_TEXT(c.status, http_status_of(c.reason), c.text);
  }
}

TEST(Error, context_is_put_before_and_the_reason_kept) {
  const Error inner{Reason::NotFound, "open x: No such file or directory", nullptr};
  const Error outer = inner.during("freeze pod {}", "a/b").error();
  CHECK_EQUAL(std::string("freeze pod a/b: open x: No such file or directory"), outer.message);
  CHECK(outer.reason == Reason::NotFound);
}

TEST(Error, errno_becomes_reason_and_text) {
  const Error error = fail_errno(ENOENT, "open {}", "x").error();
  CHECK(error.reason == Reason::NotFound);
  CHECK_EQUAL(std::string("open x: No such file or directory"), error.message);
}
