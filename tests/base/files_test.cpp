// Whole files, replaced and read.
#include "base/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(Files) {
  std::string folder;
  void setup() override {
    char made[] = "/tmp/keelson-files-XXXXXX";
    folder = ::mkdtemp(made);
  }
  void teardown() override {
    ::unlink((folder + "/a").c_str());
    LONGS_EQUAL(0, ::rmdir(folder.c_str()));  // nothing else is left in it
  }
};

TEST(Files, what_is_written_is_read) {
  const std::string path = folder + "/a";
  CHECK(replace_file(path, "one", 0600).has_value());
  CHECK(replace_file(path, std::string(100'000, 'x'), 0640).has_value());
  LONGS_EQUAL(100'000, read_file(path)->size());
  struct stat info {};
  CHECK(::stat(path.c_str(), &info) == 0);
  LONGS_EQUAL(0640, info.st_mode & 07777);
}

TEST(Files, reading_is_bounded) {
  const std::string path = folder + "/a";
  CHECK(replace_file(path, "12345", 0600).has_value());
  CHECK(read_file(path, 5).has_value());
  CHECK(read_file(path, 4).error().reason == Reason::RequestEntityTooLarge);
}

TEST(Files, failures_name_the_path) {
  CHECK(read_file(folder + "/none").error().message.contains(folder + "/none: No such file"));
  CHECK(read_file(folder).error().message.contains("Is a directory"));
  CHECK(replace_file("/nonexistent/a", "x", 0600).error().message.contains("/nonexistent/a"));
  CHECK(!replace_file(folder, "x", 0600).has_value());  // a folder is not replaced by a file
}
