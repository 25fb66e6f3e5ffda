// From address text to a connected socket, without blocking the loop: names are resolved, addresses
// tried in turn.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "base/fd.h"
#include "base/http_client.h"
#include "base/system_loop.h"

namespace keelson {

// On the loop's thread; done too. make: see HttpClient::Dial; null: TCP or Unix.
[[nodiscard]] Pending dial(SystemLoop& loop, const std::string& address,
                           const HttpClient::Dial& make,
                           std::move_only_function<void(Result<Fd>)> done);

}  // namespace keelson
