// Header fields, targets and heads as text.
#include "base/http.h"

#include "base/http1_writer.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Http){};

TEST(Http, header_names_compare_without_case) {
  const HttpHeaders headers = {{"Accept", "a"}, {"ACCEPT", "b"}, {"X", "c"}};
  STRCMP_EQUAL("a", std::string(headers.get("accept")).c_str());
  LONGS_EQUAL(2, headers.all("Accept").size());
  CHECK(headers.contains("x") && !headers.contains("y"));
  CHECK(headers.get("y").empty());
}

TEST(Http, set_replaces_all_of_a_name) {
  HttpHeaders headers = {{"A", "1"}, {"a", "2"}, {"b", "3"}};
  headers.set("A", "4");
  LONGS_EQUAL(2, headers.size());
  STRCMP_EQUAL("4", std::string(headers.get("a")).c_str());
}

TEST(Http, finds_words_in_lists_of_all_fields_of_a_name) {
  const HttpHeaders headers = {{"Connection", "keep-alive , Upgrade"}, {"connection", "x"}};
  CHECK(headers.has_token("Connection", "upgrade"));
  CHECK(headers.has_token("Connection", "X"));
  CHECK(!headers.has_token("Connection", "keep"));
  CHECK(!headers.has_token("Connection", ""));
}

TEST(Http, takes_targets_apart) {
  struct Case {
    const char* target;
    const char* path;
    std::vector<std::string> segments;
    std::vector<std::pair<std::string, std::string>> query;
  };
  const Case cases[] = {
      {"/", "/", {}, {}},
      {"/api/v1/pods?limit=5&x",
       "/api/v1/pods",
       {"api", "v1", "pods"},
       {{"limit", "5"}, {"x", ""}}},
      {"/a%2Fb//c?q=a+b%26&q=2", "/a%2Fb//c", {"a/b", "c"}, {{"q", "a b&"}, {"q", "2"}}},
      {"/a+b?l=a%20in%20(b,c)", "/a+b", {"a+b"}, {{"l", "a in (b,c)"}}},
      {"http://host:80/x?y=1", "/x", {"x"}, {{"y", "1"}}},
      {"http://host", "", {}, {}},
      {"/x#fragment", "/x", {"x"}, {}},
      {"/x?", "/x", {"x"}, {}},
      {"/x?&&a=1&", "/x", {"x"}, {{"a", "1"}}},
  };
  for (const Case& c : cases) {
    auto target = parse_target(c.target);
    CHECK_TEXT(target.has_value(), c.target);
    STRCMP_EQUAL_TEXT(c.path, target->path.c_str(), c.target);
    CHECK_TEXT(c.segments == target->segments, c.target);
    CHECK_TEXT(c.query == target->query, c.target);
  }
}

TEST(Http, refuses_targets_that_are_none) {
  for (const char* bad : {"", "*", "example.org:443", "/%", "/%2", "/%zz", "/a?b=%G1"}) {
    CHECK_TEXT(!parse_target(bad).has_value(), bad);
  }
}

TEST(Http, finds_the_first_parameter_of_a_name) {
  auto target = parse_target("/x?a=1&a=2&b=");
  STRCMP_EQUAL("1", target->parameter("a")->c_str());
  STRCMP_EQUAL("", target->parameter("b")->c_str());
  POINTERS_EQUAL(nullptr, target->parameter("c"));
}

TEST(Http, encodes_what_a_target_cannot_hold) {
  STRCMP_EQUAL("a-b_c.d~e%2F%20%25%C3%BC", percent_encode("a-b_c.d~e/ %ü").c_str());
  STRCMP_EQUAL("a/ %ü", parse_target("/" + percent_encode("a/ %ü"))->segments[0].c_str());
}

TEST(Http, a_value_cannot_end_its_line) {
  const HttpResponse response = {.headers = {{"Warning", "a\r\nSet-Cookie: b"}}};
  const std::string head = write_head(response, {});
  CHECK(head.contains("Warning: a  Set-Cookie: b\r\n"));
  CHECK(!write_request({.target = "/a\r\nX: y"}, "h").contains("\r\nX: y"));
}

TEST(Http, what_frames_a_message_is_not_taken_from_its_headers) {
  const HttpResponse response = {
      .headers = {{"content-length", "7"}, {"Transfer-Encoding", "chunked"}, {"Connection", "x"}},
      .body = {make_bytes("abc"), make_bytes("de")}};
  const std::string head = write_head(response, {.keep_alive = false});
  CHECK(head.contains("Content-Length: 5\r\n"));
  CHECK(!head.contains("chunked") && !head.contains(": 7") && !head.contains(": x"));
  CHECK(head.contains("Connection: close\r\n"));
}

TEST(Http, dates_are_written_as_http_has_them) {
  const WallTime at = std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min + 37s;
  CHECK(write_head({}, {.now = at}).contains("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
}
