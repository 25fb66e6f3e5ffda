// SHA-256 of bytes as they pass.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace keelson::isolation {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(const void* bytes, std::size_t size);
  std::string finish();  // 64 hex digits; once

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string sha256_of(std::string_view bytes);
bool is_sha256(std::string_view hex);  // 64 lower-case hex digits: fit to be a file's name

}  // namespace keelson::isolation
