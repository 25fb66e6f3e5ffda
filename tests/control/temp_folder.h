// A folder that is gone when its test is. In memory where that is possible: tests sync a lot, and
// what they show does not hang on the disk.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace keelson {

class TempFolder {
 public:
  TempFolder() {
    const std::filesystem::path memory("/dev/shm");
    const bool usable = ::access(memory.c_str(), W_OK) == 0;
    const auto where = usable ? memory : std::filesystem::temp_directory_path();
    std::string pattern = (where / "keelson-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace keelson
