// The parser alone: the same message in whatever pieces, and bytes that are no message.
#include "base/http1_parser.h"

#include "base/random.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

constexpr Http1Parser::Bounds bounds = {.header_bytes = 500, .body_bytes = 1000};

// What became of the bytes when they came in pieces of at most so many: told as one text.
std::string parse(Http1Parser::Kind kind, std::string_view bytes, Random& random,
                  std::size_t piece_max) {
  Http1Parser parser(kind, bounds);
  std::string input, body;
  while (!bytes.empty() && !parser.done() && parser.failed_status() == 0) {
    const std::size_t size = std::min(bytes.size(), 1 + random.below(piece_max));
    input += bytes.substr(0, size);
    bytes.remove_prefix(size);
    for (std::size_t used = 1; used > 0 && !input.empty();) {
      used = parser.consume(input);
      CHECK(used <= input.size());
      input.erase(0, used);
    }
    body += parser.take_body();
    CHECK(body.size() <= 1000);
    CHECK(input.size() <= 500 + piece_max || parser.done() || parser.failed_status() != 0);
  }
  const HttpRequest& head = parser.head().request;
  std::string told = fmt::format("{} {} {} {} [{}] ", parser.failed_status(), parser.done(),
                                 head.method, head.target, body);
  for (const auto& [name, value] : head.headers) told += name + ":" + value + " ";
  return told;
}

const std::string samples[] = {
    "GET /a?b=c HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5;ext=\"a\"\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: t\r\nX: y\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive, Upgrade\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\nuntil the end",
};

Http1Parser::Kind kind_of(const std::string& sample) {
  return sample.starts_with("HTTP/") ? Http1Parser::Kind::Response : Http1Parser::Kind::Request;
}

}  // namespace

TEST_GROUP(Http1Parser){};

TEST(Http1Parser, a_message_is_the_same_in_whatever_pieces) {
  SeededRandom random(1);
  for (const std::string& sample : samples) {
    const std::string whole = parse(kind_of(sample), sample, random, sample.size());
    CHECK_TEXT(whole.starts_with("0 "), whole.c_str());
    for (int i = 0; i < 200; ++i) {
      const std::string pieces = parse(kind_of(sample), sample, random, 1 + random.below(20));
      STRCMP_EQUAL(whole.c_str(), pieces.c_str());
    }
  }
}

// Goal: nothing that a peer sends breaks the parser or its bounds. Method: samples with bytes
// changed, cut out and doubled, in random pieces.
TEST(Http1Parser, survives_damaged_messages) {
  static constexpr std::string_view alphabet = "\r\n :;0123456789abcdefGHTP/\x00\xff,=\"-";
  SeededRandom random(2);
  for (int i = 0; i < 20'000; ++i) {
    const std::string& sample = samples[random.below(std::size(samples))];
    std::string damaged = sample;
    for (std::uint64_t wounds = 1 + random.below(4); wounds > 0 && !damaged.empty(); --wounds) {
      const std::size_t at = random.below(damaged.size());
      switch (random.below(3)) {
        case 0:
          damaged[at] = alphabet[random.below(alphabet.size())];
          break;
        case 1:
          damaged.erase(at, 1 + random.below(5));
          break;
        default:
          damaged.insert(at, damaged.substr(at, 1 + random.below(300)));
          break;
      }
    }
    parse(kind_of(sample), damaged, random, 1 + random.below(40));
  }
}

TEST(Http1Parser, the_end_of_input_ends_only_bodies_without_a_length) {
  struct Case {
    const char* bytes;
    bool ends_well;
  };
  const Case cases[] = {{"", false},
                        {"HTTP/1.1 200", false},
                        {"HTTP/1.1 200 OK\r\n\r\n", true},
                        {"HTTP/1.1 200 OK\r\n\r\nabc", true},
                        {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", false},
                        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", true},
                        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc", false}};
  for (const Case& c : cases) {
    Http1Parser parser(Http1Parser::Kind::Response, bounds);
    parser.consume(c.bytes);
    CHECK_EQUAL_TEXT(c.ends_well, parser.end_of_input(), c.bytes);
  }
}
