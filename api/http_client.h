// The Client of rooms outside control/: the API over HTTPS, objects as protobuf both ways.
#pragma once

#include <memory>
#include <string>

#include "api/client.h"
#include "base/http_client.h"
#include "base/random.h"
#include "base/tls.h"

namespace keelson {

// Where the API is, and who we are there.
struct ApiServer {
  std::string url;  // "https://10.89.0.1:6443"
  TlsClientConfig tls = {};
  std::string user_agent = "keelson";  // the part before '/' is the field manager
};

// Requests leave and answers are parsed on the HttpClient's loop; callbacks run on the owner's.
// Both loops and the HttpClient outlive it. Requests in progress when it is destroyed are given up
// without a call.
class HttpApiClient final : public Client {
 public:
  struct Parts {
    Loop& owner;
    HttpClient& http;
    Random& random;  // the owner's
    Duration request_timeout = 30s;
  };
  // Invalid: the URL, the CA or the identity is none.
  static Result<std::unique_ptr<HttpApiClient>> make(const ApiServer& server, Parts parts);
  ~HttpApiClient() override;

  void get(const Kind& kind, std::string_view key, Done done) override;
  void create(const Kind& kind, const Message& message, Done done) override;
  void update(const Kind& kind, const Message& message, std::string_view subresource,
              Done done) override;
  void patch(const Kind& kind, std::string_view key, Patch patch, Done done) override;
  void remove(const Kind& kind, std::string_view key, DeleteOptions options, Done done) override;
  void list(const Kind& kind, ListOptions options, ListDone done) override;
  Pending watch(const Kind& kind, WatchFrom from, OnEvent on_event, OnEnd on_end) override;

 private:
  struct Core;
  explicit HttpApiClient(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace keelson
