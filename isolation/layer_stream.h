// The tar in a layer's blob, decompressed and digested as it is read.
#pragma once

#include <archive.h>

#include <memory>
#include <string>
#include <vector>

#include "isolation/digest.h"

namespace keelson::isolation {

struct ArchiveFree {
  void operator()(archive* a) const { archive_read_free(a); }
};
using ArchivePtr = std::unique_ptr<archive, ArchiveFree>;

class LayerStream {
 public:
  LayerStream(int blob_fd, std::uint64_t tar_bytes_max);
  LayerStream(const LayerStream&) = delete;
  LayerStream& operator=(const LayerStream&) = delete;

  std::string open();  // "", or what is wrong
  // The next bytes of the tar; 0 at its end, -1: see error().
  long read(const void** bytes);
  std::string error() const { return error_; }
  // What the tar reader has left unread, so that the digests are whole. False: see error().
  bool drain();
  std::string blob_digest() { return blob_sha_.finish(); }
  std::string tar_digest() { return tar_sha_.finish(); }

 private:
  static la_ssize_t read_blob(archive*, void* self, const void** bytes);

  int fd_;
  std::uint64_t tar_bytes_max_, tar_bytes_ = 0;
  ArchivePtr decompressor_;
  Sha256 blob_sha_, tar_sha_;
  std::vector<char> blob_buffer_, tar_buffer_;
  std::string error_;
};

}  // namespace keelson::isolation
