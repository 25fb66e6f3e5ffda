// Bytes that never change and are shared: a watch event is encoded once and sent to thousands.
#pragma once

#include <memory>
#include <string>

namespace keelson {

using Bytes = std::shared_ptr<const std::string>;

inline Bytes make_bytes(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace keelson
