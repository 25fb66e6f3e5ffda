// libarchive's filters over a descriptor, with a digest on both sides.
#include "isolation/layer_stream.h"

#include <unistd.h>

#include <cerrno>

namespace keelson::isolation {
namespace {

constexpr std::size_t buffer_bytes = 64 * 1024;

}  // namespace

LayerStream::LayerStream(int blob_fd, std::uint64_t tar_bytes_max)
    : fd_(blob_fd),
      tar_bytes_max_(tar_bytes_max),
      decompressor_(archive_read_new()),
      blob_buffer_(buffer_bytes),
      tar_buffer_(buffer_bytes) {}

std::string LayerStream::open() {
  archive* a = decompressor_.get();
  archive_read_support_filter_gzip(a);
  archive_read_support_filter_zstd(a);
  archive_read_support_format_raw(a);
  archive_read_support_format_empty(a);
  archive_entry* entry = nullptr;
  if (archive_read_open(a, this, nullptr, read_blob, nullptr) != ARCHIVE_OK) {
    return error_.empty() ? archive_error_string(a) : error_;
  }
  const int result = archive_read_next_header(a, &entry);
  if (result == ARCHIVE_OK || result == ARCHIVE_EOF) return "";
  return error_.empty() ? archive_error_string(a) : error_;
}

la_ssize_t LayerStream::read_blob(archive*, void* self, const void** bytes) {
  auto& stream = *static_cast<LayerStream*>(self);
  const auto got = ::read(stream.fd_, stream.blob_buffer_.data(), buffer_bytes);
  if (got < 0) {
    stream.error_ = std::system_category().message(errno);
    return -1;
  }
  stream.blob_sha_.add(stream.blob_buffer_.data(), static_cast<std::size_t>(got));
  *bytes = stream.blob_buffer_.data();
  return got;
}

long LayerStream::read(const void** bytes) {
  const auto got = archive_read_data(decompressor_.get(), tar_buffer_.data(), buffer_bytes);
  if (got < 0) {
    const char* words = archive_error_string(decompressor_.get());
    if (error_.empty()) error_ = words == nullptr ? "cannot be decompressed" : words;
    return -1;
  }
  tar_bytes_ += static_cast<std::uint64_t>(got);
  if (tar_bytes_ > tar_bytes_max_) {
    error_ = "grows beyond the bound of " + std::to_string(tar_bytes_max_) + " bytes";
    return -1;
  }
  tar_sha_.add(tar_buffer_.data(), static_cast<std::size_t>(got));
  *bytes = tar_buffer_.data();
  return got;
}

bool LayerStream::drain() {
  const void* bytes = nullptr;
  long got = 0;
  while ((got = read(&bytes)) > 0) {
  }
  if (got < 0) return false;
  // A gzip stream may end before its blob does.
  while (read_blob(nullptr, this, &bytes) > 0) {
  }
  return error_.empty();
}

}  // namespace keelson::isolation
