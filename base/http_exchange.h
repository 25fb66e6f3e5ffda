// The Exchange of an HTTP/1.1 connection: carries answers from any thread to the connection's.
#pragma once

#include <memory>

#include "base/http1_connection.h"

namespace keelson {

struct Http1ExchangeParts {
  std::shared_ptr<Http1Connection> connection;
  HttpRequest request;
  HttpTarget target;
  std::shared_ptr<const TlsPeer> peer;
  std::string remote_address;
  Http1Connection::Asked asked;
};
std::unique_ptr<Exchange> make_http1_exchange(Http1ExchangeParts parts);

// Speaks WebSocket on the connection of a request that asked for it. protocol may be "".
std::unique_ptr<WebSocket> start_websocket(std::shared_ptr<Http1Connection> connection,
                                           HttpRequest request, std::string protocol);

}  // namespace keelson
