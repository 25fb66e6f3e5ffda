// Volumes as files: what they hold, how they change as one, and what is refused.
#include "nodeagent/volumes.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "api/kinds.h"
#include "api/proto/core/v1/config_map.pb.h"
#include "nodeagent/atomic_writer.h"
#include "tests/nodeagent/fake_node.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;
namespace fs = std::filesystem;

TEST_GROUP(Volumes) {
  std::string folder;
  ObjectIndex view;
  Revision revision = 0;

  void setup() override {
    std::string pattern = fs::temp_directory_path() / "keelson-volumes-XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  void teardown() override {
    fs::remove_all(folder);
  }

  void put_map(const std::string& name, const std::string& text) {
    core::ConfigMap map;
    CHECK(google::protobuf::TextFormat::ParseFromString(text, &map));
    map.mutable_metadata()->set_name(name);
    map.mutable_metadata()->set_namespace_("default");
    map.mutable_metadata()->set_uid("map-" + name);
    map.mutable_metadata()->set_resourceversion(std::to_string(++revision));
    view.put(make_object(kinds::config_map(), map));
  }
  Result<std::map<std::string, std::string>> set_up(const std::string& volume) {
    const auto pod =
        pod_from_text("spec { volumes { name: \"v\" volumeSource { " + volume + " } } }");
    PodVolumes volumes(folder + "/disk", folder + "/memory", view);
    return volumes.set_up(*pod, {}, WallTime(std::chrono::seconds(++revision)));
  }
  std::string read(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST(Volumes, a_config_map_becomes_files_behind_one_link) {
  put_map("m", R"(data { key: "a" value: "1" } binaryData { key: "b" value: "\001" })");
  const auto paths = set_up(R"(configMap { localObjectReference { name: "m" } defaultMode: 256 })");
  CHECK(paths.has_value());
  const std::string at = paths->at("v");
  CHECK_EQUAL(std::string("1"), read(at + "/a"));
  CHECK_EQUAL(std::string("\001"), read(at + "/b"));
  CHECK_EQUAL(std::string("..data/a"), fs::read_symlink(at + "/a").string());
  struct stat about {};
  LONGS_EQUAL(0, ::stat((at + "/a").c_str(), &about));
  LONGS_EQUAL(0400, about.st_mode & 0777);
}

TEST(Volumes, a_changed_config_map_replaces_all_files_at_once) {
  put_map("m", R"(data { key: "a" value: "1" } data { key: "gone" value: "x" })");
  const std::string source = R"(configMap { localObjectReference { name: "m" } })";
  const std::string at = set_up(source)->at("v");
  const auto before = fs::read_symlink(at + "/..data");
  CHECK(set_up(source).has_value());
  CHECK(before == fs::read_symlink(at + "/..data"));  // nothing changed, nothing written
  put_map("m", R"(data { key: "a" value: "2" } data { key: "new" value: "y" })");
  CHECK(set_up(source).has_value());
  CHECK_EQUAL(std::string("2"), read(at + "/a"));
  CHECK_EQUAL(std::string("y"), read(at + "/new"));
  CHECK(!fs::exists(fs::symlink_status(at + "/gone")));
  CHECK(!fs::exists(fs::path(at) / before));
}

TEST(Volumes, items_choose_keys_and_paths) {
  put_map("m", R"(data { key: "a" value: "1" } data { key: "b" value: "2" })");
  const auto paths = set_up(R"(configMap { localObjectReference { name: "m" }
    items { key: "a" path: "deep/er/file" } })");
  CHECK_EQUAL(std::string("1"), read(paths->at("v") + "/deep/er/file"));
  CHECK(!fs::exists(paths->at("v") + "/b"));
}

TEST(Volumes, projects_several_sources_into_one_folder) {
  put_map("m", R"(data { key: "a" value: "1" })");
  const auto paths =
      set_up(R"(projected { sources { configMap { localObjectReference { name: "m" } } }
    sources { downwardAPI { items { path: "name" fieldRef { fieldPath: "metadata.name" } } } } })");
  CHECK_EQUAL(std::string("1"), read(paths->at("v") + "/a"));
  CHECK_EQUAL(std::string("web"), read(paths->at("v") + "/name"));
}

TEST(Volumes, says_which_volume_lacks_what) {
  put_map("m", "");
  struct Case {
    const char* volume;
    const char* said;
  };
  const Case cases[] = {
      {R"(configMap { localObjectReference { name: "x" } })",
       "MountVolume.SetUp failed for volume \"v\" : configmap \"x\" not found"},
      {R"(secret { secretName: "x" })",
       "MountVolume.SetUp failed for volume \"v\" : secret \"x\" not found"},
      {R"(configMap { localObjectReference { name: "m" } items { key: "k" path: "p" } })",
       "MountVolume.SetUp failed for volume \"v\" : configmap \"m\" references non-existent config "
       "key: k"},
      {R"(hostPath { path: "/proc/version" type: "Directory" })",
       "MountVolume.SetUp failed for volume \"v\" : hostPath type check failed: /proc/version is "
       "not a directory"},
  };
  for (const Case& c : cases) {
    const auto got = set_up(c.volume);
    CHECK_TEXT(!got, c.volume);
    CHECK_EQUAL_TEXT(std::string(c.said), got.error().message, c.volume);
  }
  CHECK(set_up(R"(configMap { localObjectReference { name: "x" } optional: true })").has_value());
}

TEST(Volumes, an_empty_dir_is_writable_by_all_and_keeps_its_files) {
  const std::string at = set_up("emptyDir {}")->at("v");
  struct stat about {};
  LONGS_EQUAL(0, ::stat(at.c_str(), &about));
  LONGS_EQUAL(0777, about.st_mode & 07777);
  std::ofstream(at + "/kept") << "x";
  CHECK(set_up("emptyDir {}").has_value());
  CHECK(fs::exists(at + "/kept"));
}

TEST(Volumes, host_path_makes_what_its_type_says) {
  const std::string at = folder + "/host/new";
  CHECK(set_up("hostPath { path: \"" + at + "\" type: \"DirectoryOrCreate\" }").has_value());
  CHECK(fs::is_directory(at));
  CHECK(!set_up("hostPath { path: \"" + at + "\" type: \"Socket\" }"));
}

TEST(Volumes, tear_down_removes_everything_of_the_pod_and_nothing_else) {
  const std::string at = set_up("emptyDir {}")->at("v");
  PodVolumes volumes(folder + "/disk", folder + "/memory", view);
  fs::create_directories(folder + "/disk/other");
  CHECK(volumes.tear_down("uid-1").has_value());
  CHECK(!fs::exists(at));
  CHECK(fs::exists(folder + "/disk/other"));
  CHECK(volumes.tear_down("uid-1").has_value());
  CHECK(!volumes.tear_down("../etc"));
  CHECK(!volumes.tear_down(""));
}

TEST(Volumes, a_path_that_climbs_is_refused_and_the_old_files_stand) {
  const std::string at = folder + "/w";
  fs::create_directories(at);
  CHECK(write_atomically(at, {{"a", {"1"}}}, std::nullopt, WallTime(1s)).has_value());
  for (const char* path : {"../x", "/etc/x", "a/../../x", "..x", ""}) {
    CHECK_TEXT(!write_atomically(at, {{path, {"2"}}}, std::nullopt, WallTime(2s)), path);
    CHECK_EQUAL_TEXT(std::string("1"), read(at + "/a"), path);
  }
}
