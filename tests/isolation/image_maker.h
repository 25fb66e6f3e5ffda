// Makes image archives for tests, good ones and hostile ones.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace keelson::isolation {

struct TarEntry {
  std::string path;
  std::string text = {};
  char type = 'f';  // f, d, l (symlink), h (hard link), c, b, p
  std::string target = {};
  unsigned mode = 0644;
  unsigned uid = 0, gid = 0;
  std::vector<std::pair<std::string, std::string>> xattrs = {};
};

enum class Squeeze { None, Gzip, Zstd };

std::string make_tar(const std::vector<TarEntry>& entries);
std::string squeeze(const std::string& bytes, Squeeze how);

struct ImageSpec {
  std::vector<std::vector<TarEntry>> layers;
  std::string config = R"({"Cmd":["sh"]})";
  std::string name = "test.local/image:v1";
  Squeeze squeezed = Squeeze::Gzip;
  std::string machine = "amd64";
};
// As `skopeo copy … oci-archive:` and `docker save` write them; each a tar's bytes.
std::string make_oci_archive(const ImageSpec& spec);
std::string make_docker_archive(const ImageSpec& spec);
// The files of an OCI layout, for tests that damage one.
std::vector<TarEntry> oci_layout(const ImageSpec& spec);

}  // namespace keelson::isolation
