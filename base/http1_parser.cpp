// Beast's HTTP/1.1 parser, with the bounds it leaves to its caller: all fields of a head together,
// and what may lie between the pieces of a body.
#include "base/http1_parser.h"

#include <boost/beast/http/basic_parser.hpp>

namespace keelson {
namespace http = boost::beast::http;
namespace {

using boost::beast::error_code;
using boost::beast::string_view;

constexpr int fields_max = 1000;  // each costs two strings

int status_of(const error_code& error) {
  if (error == http::error::body_limit) return 413;
  if (error == http::error::header_limit) return 431;
  return 400;
}

// What Beast's parser tells of one message.
struct Incoming {
  Http1Parser::Head head;
  std::string body;
  bool has_head = false;
  bool done = false;
};

template <bool is_request>
class MessageParser final : public http::basic_parser<is_request> {
 public:
  explicit MessageParser(Incoming& incoming) : incoming_(incoming) {}
  using http::basic_parser<is_request>::put;

 private:
  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    incoming_.head.request.method = std::string(method);
    incoming_.head.request.target = std::string(target);
    incoming_.head.chunked_answers = version >= 11;
  }
  void on_response_impl(int status, string_view, int, error_code&) override {
    incoming_.head.status = status;
  }
  void on_field_impl(http::field, string_view name, string_view value, error_code& error) override {
    if (incoming_.has_head) return;  // a trailer
    HttpHeaders& headers = incoming_.head.request.headers;
    if (headers.size() >= fields_max) {
      error = http::error::header_limit;
      return;
    }
    headers.add(std::string(name), std::string(value));
  }
  void on_header_impl(error_code& error) override {
    Http1Parser::Head& head = incoming_.head;
    // A body in a coding that we do not know would be taken for the next request.
    if (is_request && !this->chunked() && head.request.headers.contains("Transfer-Encoding")) {
      error = http::error::bad_transfer_encoding;
      return;
    }
    head.keep_alive = this->keep_alive();
    head.upgrade = this->upgrade();
    if (const auto length = this->content_length()) head.content_length = *length;
    incoming_.has_head = true;
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override {
    incoming_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    incoming_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(error_code&) override { incoming_.done = true; }

  Incoming& incoming_;
};

}  // namespace

struct Http1Parser::Impl {
  explicit Impl(Bounds b) : bounds(b) {}
  virtual ~Impl() = default;
  virtual void start() = 0;
  virtual void skip_body() = 0;
  virtual std::size_t put(std::string_view bytes, error_code& error) = 0;
  virtual void put_eof(error_code& error) = 0;

  const Bounds bounds;
  Incoming incoming;
  std::size_t head_bytes = 0;  // consumed so far
  bool begun = false;
  int failed_status = 0;
  std::string failure;
};

namespace {

template <bool is_request, typename Impl>
struct ImplOf final : Impl {
  explicit ImplOf(Http1Parser::Bounds b) : Impl(b) { start(); }
  void start() override {
    parser.emplace(this->incoming);
    parser->eager(true);
    parser->header_limit(static_cast<std::uint32_t>(this->bounds.header_bytes));
    parser->body_limit(this->bounds.body_bytes);
  }
  void skip_body() override { parser->skip(true); }
  std::size_t put(std::string_view bytes, error_code& error) override {
    return parser->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  }
  void put_eof(error_code& error) override { parser->put_eof(error); }
  std::optional<MessageParser<is_request>> parser;
};

}  // namespace

Http1Parser::Http1Parser(Kind kind, Bounds bounds) {
  if (kind == Kind::Request) {
    impl_ = std::make_unique<ImplOf<true, Impl>>(bounds);
  } else {
    impl_ = std::make_unique<ImplOf<false, Impl>>(bounds);
  }
}

Http1Parser::~Http1Parser() = default;

void Http1Parser::start() {
  impl_->incoming = Incoming();
  impl_->head_bytes = 0;
  impl_->begun = false;
  impl_->failed_status = 0;
  impl_->start();
}

void Http1Parser::expect_no_body() {
  impl_->skip_body();
}

std::size_t Http1Parser::consume(std::string_view bytes) {
  Impl& impl = *impl_;
  if (bytes.empty() || impl.failed_status != 0 || impl.incoming.done) return 0;
  impl.begun = true;
  const bool had_head = impl.incoming.has_head;
  error_code error;
  const std::size_t used = impl.put(bytes, error);
  if (!had_head) impl.head_bytes += used;
  const std::size_t left = bytes.size() - used;
  if (error == http::error::need_more) error = {};
  if (!error && !impl.incoming.has_head && impl.head_bytes + left > impl.bounds.header_bytes) {
    error = http::error::header_limit;
  }
  // The size line of a chunk, or trailers, that do not end.
  if (!error && !impl.incoming.done && left > impl.bounds.header_bytes) {
    error = http::error::bad_chunk;
  }
  if (error) {
    impl.failed_status = status_of(error);
    impl.failure = error.message();
  }
  return used;
}

bool Http1Parser::end_of_input() {
  if (!impl_->begun || impl_->incoming.done) return impl_->incoming.done;
  error_code error;
  impl_->put_eof(error);
  return !error && impl_->incoming.done;
}

bool Http1Parser::has_begun() const {
  return impl_->begun;
}
bool Http1Parser::has_head() const {
  return impl_->incoming.has_head;
}
bool Http1Parser::done() const {
  return impl_->incoming.done;
}
int Http1Parser::failed_status() const {
  return impl_->failed_status;
}
const std::string& Http1Parser::failure() const {
  return impl_->failure;
}
Http1Parser::Head& Http1Parser::head() {
  return impl_->incoming.head;
}
std::size_t Http1Parser::body_size() const {
  return impl_->incoming.body.size();
}
std::string Http1Parser::take_body() {
  return std::exchange(impl_->incoming.body, {});
}

}  // namespace keelson
