// Incoming HTTP/1.1 messages of one connection, byte by byte as they come: Beast's parser filling
// our types.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/http.h"

namespace keelson {

class Http1Parser {
 public:
  struct Bounds {
    std::size_t header_bytes;
    std::uint64_t body_bytes;
  };
  struct Head {
    HttpRequest request;  // method, target, headers; of a response only headers
    int status = 0;       // of a response
    bool keep_alive = true;
    bool chunked_answers = true;  // a request of HTTP/1.1: the answer may come in chunks
    bool upgrade = false;
    std::optional<std::uint64_t> content_length;
  };
  enum class Kind { Request, Response };

  Http1Parser(Kind kind, Bounds bounds);
  ~Http1Parser();

  void start();           // the next message
  void expect_no_body();  // of a response: it answers HEAD
  // Takes what it can; the rest is to be given again with more behind it. Once failed or done,
  // none.
  std::size_t consume(std::string_view bytes);
  bool end_of_input();  // the peer has finished: does that end a body well? (else it is cut short)

  bool has_begun() const;  // some bytes of a message have come
  bool has_head() const;
  bool done() const;
  // Why it failed, as the status of the refusal: 400, 413, 431; 0: not failed.
  int failed_status() const;
  const std::string& failure() const;
  Head& head();
  std::size_t body_size() const;
  std::string take_body();  // what has come of it since the last call

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace keelson
