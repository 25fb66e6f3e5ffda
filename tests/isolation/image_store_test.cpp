// The image store: what is imported is found, what nobody needs goes.
#include "isolation/image_store.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "isolation/digest.h"
#include "tests/isolation/image_maker.h"
#include "tests/isolation/node.h"

#include <CppUTest/TestHarness.h>

namespace keelson::isolation {
namespace fs = std::filesystem;

TEST_GROUP(ImageStore) {
  TempFolder folder;
  std::unique_ptr<ImageStore> store;

  void setup() override {
    auto opened = ImageStore::open(folder / "store");
    CHECK(opened.has_value());
    store = std::make_unique<ImageStore>(std::move(*opened));
  }
  Result<std::vector<Image>> import(const std::string& archive, const std::string& name = {}) {
    write_text(folder / "archive.tar", archive);
    return store->import(folder / "archive.tar", name);
  }
  // The only layer's folder.
  std::string layer_of(const Image& image, std::size_t index = 0) {
    auto held = store->hold(image, "node", "test");
    CHECK(held.has_value());
    return held->at(index);
  }
  std::string error_of(const Result<std::vector<Image>>& result) {
    return result ? "no error" : result.error().message;
  }
};

static ImageSpec small_image() {
  return {.layers = {{{.path = "bin/", .type = 'd', .mode = 0755},
                      {.path = "bin/tool", .text = "#!/bin/sh\n", .mode = 0755}}},
          .config = R"({"Env":["A=b"],"Entrypoint":["/bin/tool"],"Cmd":["x"],"User":"app",)"
                    R"("WorkingDir":"/w","StopSignal":"SIGINT","ExposedPorts":{"80/tcp":{}},)"
                    R"("Labels":{"l":"v"}})"};
}

TEST(ImageStore, takes_what_skopeo_and_docker_write_in_every_compression) {
  struct Case {
    const char* name;
    std::string archive;
  };
  ImageSpec spec = small_image();
  ImageSpec plain = spec, zstd = spec;
  plain.squeezed = Squeeze::None;
  zstd.squeezed = Squeeze::Zstd;
  const Case cases[] = {{"OCI, gzip", make_oci_archive(spec)},
                        {"OCI, plain", make_oci_archive(plain)},
                        {"OCI, zstd", make_oci_archive(zstd)},
                        {"docker save", make_docker_archive(spec)},
                        {"docker save | gzip", squeeze(make_docker_archive(spec), Squeeze::Gzip)},
                        {"OCI | zstd", squeeze(make_oci_archive(spec), Squeeze::Zstd)}};
  for (const auto& c : cases) {
    const auto images = import(c.archive);
    CHECK_TEXT(images.has_value(), (std::string(c.name) + ": " + error_of(images)).c_str());
    LONGS_EQUAL_TEXT(1, images->size(), c.name);
    const auto found = store->find("test.local/image:v1");
    CHECK_TEXT(found.has_value(), c.name);
    STRCMP_EQUAL_TEXT("/bin/tool", found->config.entrypoint.at(0).c_str(), c.name);
    STRCMP_EQUAL_TEXT("#!/bin/sh\n", read_text(layer_of(*found) + "/bin/tool").c_str(), c.name);
    CHECK_TEXT(store->release("node", "test").has_value(), c.name);
    CHECK_TEXT(store->remove("test.local/image:v1").has_value(), c.name);
    LONGS_EQUAL_TEXT(0, *store->usage_bytes(), c.name);
  }
}

TEST(ImageStore, takes_an_oci_layout_in_a_folder) {
  for (const auto& file : oci_layout(small_image())) {
    fs::create_directories(fs::path(folder / ("layout/" + file.path)).parent_path());
    write_text(folder / ("layout/" + file.path), file.text);
  }
  const auto images = store->import(folder / "layout");
  CHECK_TEXT(images.has_value(), error_of(images).c_str());
  STRCMP_EQUAL("test.local/image:v1", images->at(0).names.at(0).c_str());
}

TEST(ImageStore, takes_an_archive_from_a_pipe) {
  int ends[2];
  LONGS_EQUAL(0, pipe(ends));
  const std::string archive = make_docker_archive(small_image());
  std::thread writer([&] {
    LONGS_EQUAL(archive.size(), write(ends[1], archive.data(), archive.size()));
    close(ends[1]);
  });
  const auto images = store->import(Fd(ends[0]), "piped.local/image");
  writer.join();
  CHECK_TEXT(images.has_value(), error_of(images).c_str());
  STRCMP_EQUAL("piped.local/image:latest", images->at(0).names.at(0).c_str());
}

TEST(ImageStore, takes_what_skopeo_makes_of_our_archive) {
  if (system("command -v skopeo >/dev/null") != 0) {
    puts("skipped: skopeo is not installed");
    return;
  }
  write_text(folder / "own.tar", make_oci_archive(small_image()));
  for (const char* form : {"docker-archive", "oci-archive"}) {
    const std::string to = folder / (std::string(form) + ".tar");
    const std::string command =
        "skopeo copy --quiet --insecure-policy oci-archive:" + (folder / "own.tar") + " " + form +
        ":" + to + ":test.local/copied:v1";
    LONGS_EQUAL_TEXT(0, system(command.c_str()), form);
    const auto images = store->import(to);
    CHECK_TEXT(images.has_value(), error_of(images).c_str());
    STRCMP_EQUAL_TEXT("test.local/copied:v1", images->at(0).names.at(0).c_str(), form);
  }
}

TEST(ImageStore, reads_the_whole_configuration) {
  const auto images = import(make_oci_archive(small_image()));
  CHECK(images.has_value());
  const ImageConfig& config = images->at(0).config;
  STRCMP_EQUAL("A=b", config.env.at(0).c_str());
  STRCMP_EQUAL("x", config.cmd.at(0).c_str());
  STRCMP_EQUAL("app", config.user.c_str());
  STRCMP_EQUAL("/w", config.working_directory.c_str());
  STRCMP_EQUAL("SIGINT", config.stop_signal.c_str());
  STRCMP_EQUAL("80/tcp", config.exposed_ports.at(0).c_str());
  STRCMP_EQUAL("l", config.labels.at(0).first.c_str());
  LONGS_EQUAL(10, images->at(0).size_bytes);
}

TEST(ImageStore, finds_by_every_spelling_and_by_digests) {
  ImageSpec spec = small_image();
  spec.name = "docker.io/library/tool:latest";
  const auto images = import(make_oci_archive(spec));
  CHECK_TEXT(images.has_value(), error_of(images).c_str());
  const std::string manifest = images->at(0).manifest_digest;
  for (const std::string& name :
       {std::string("tool"), std::string("tool:latest"), std::string("library/tool"),
        std::string("index.docker.io/library/tool"), images->at(0).id, manifest,
        "tool@" + manifest}) {
    const auto found = store->find(name);
    CHECK_TEXT(found.has_value(), name.c_str());
    STRCMP_EQUAL_TEXT(images->at(0).id.c_str(), found->id.c_str(), name.c_str());
  }
  const auto missing = store->find("tool:v2");
  CHECK(missing.error().reason == Reason::NotFound);
  STRCMP_EQUAL("no image docker.io/library/tool:v2 in the store", missing.error().message.c_str());
}

TEST(ImageStore, turns_whiteouts_into_overlayfs_form) {
  const ImageSpec spec{
      .layers = {{{.path = "a", .text = "1"}, {.path = "d/x", .text = "2"}},
                 {{.path = ".wh.a"}, {.path = "d/.wh..wh..opq"}, {.path = "d/y", .text = "3"}}}};
  const auto images = import(make_oci_archive(spec));
  CHECK_TEXT(images.has_value(), error_of(images).c_str());
  const std::string upper = layer_of(images->at(0), 1);
  struct stat status {};
  LONGS_EQUAL(0, lstat((upper + "/a").c_str(), &status));
  CHECK(S_ISCHR(status.st_mode) && status.st_rdev == 0);
  CHECK(!exists(upper + "/.wh.a") && !exists(upper + "/d/.wh..wh..opq"));
  CHECK(exists(upper + "/d/y"));
}

TEST(ImageStore, gives_implied_folders_the_owner_and_mode_of_the_layer_below) {
  const ImageSpec spec{
      .layers = {{{.path = "var/", .type = 'd', .mode = 0711, .uid = 5, .gid = 6},
                  {.path = "tmp/", .type = 'd', .mode = 01777}},
                 {{.path = "var/new/file", .text = "x"}, {.path = "tmp/file", .text = "y"}}}};
  const auto images = import(make_oci_archive(spec));
  CHECK_TEXT(images.has_value(), error_of(images).c_str());
  struct stat status {};
  const std::string upper = layer_of(images->at(0), 1);
  LONGS_EQUAL(0, stat((upper + "/var").c_str(), &status));
  LONGS_EQUAL(0711, status.st_mode & 07777);
  LONGS_EQUAL(5, status.st_uid);
  LONGS_EQUAL(0, stat((upper + "/tmp").c_str(), &status));
  LONGS_EQUAL(01777, status.st_mode & 07777);
  LONGS_EQUAL(0, stat((upper + "/var/new").c_str(), &status));
  LONGS_EQUAL(0755, status.st_mode & 07777);
}

TEST(ImageStore, keeps_owners_modes_times_links_and_capabilities) {
  const std::string capability("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  const ImageSpec spec{.layers = {{{.path = "bin/ping",
                                    .text = "p",
                                    .mode = 04755,
                                    .uid = 7,
                                    .gid = 8,
                                    .xattrs = {{"security.capability", capability},
                                               {"trusted.overlay.redirect", "/etc"}}},
                                   {.path = "bin/hard", .type = 'h', .target = "bin/ping"},
                                   {.path = "bin/soft", .type = 'l', .target = "/bin/ping"},
                                   {.path = "pipe", .type = 'p'}}}};
  const auto images = import(make_oci_archive(spec));
  CHECK_TEXT(images.has_value(), error_of(images).c_str());
  const std::string layer = layer_of(images->at(0));
  struct stat status {};
  LONGS_EQUAL(0, stat((layer + "/bin/ping").c_str(), &status));
  LONGS_EQUAL(04755, status.st_mode & 07777);
  LONGS_EQUAL(7, status.st_uid);
  LONGS_EQUAL(2, status.st_nlink);
  LONGS_EQUAL(1'700'000'000, status.st_mtime);
  STRCMP_EQUAL("/bin/ping", fs::read_symlink(layer + "/bin/soft").c_str());
  LONGS_EQUAL(20, getxattr((layer + "/bin/ping").c_str(), "security.capability", nullptr, 0));
  LONGS_EQUAL(-1, getxattr((layer + "/bin/ping").c_str(), "trusted.overlay.redirect", nullptr, 0));
}

// Each row's archive must be refused or made harmless; nothing may appear beside the store.
TEST(ImageStore, hostile_layers_stay_inside) {
  write_text(folder / "victim", "untouched");
  const std::string victim = folder / "victim";
  struct Case {
    const char* name;
    std::vector<TarEntry> entries;
    bool refused;
  };
  const Case cases[] = {
      {"dots", {{.path = "../../../../tmp/keelson-escape", .text = "x"}}, true},
      {"absolute", {{.path = "/tmp/keelson-escape", .text = "x"}}, false},
      {"through a link",
       {{.path = "out", .type = 'l', .target = "/tmp"},
        {.path = "out/keelson-escape", .text = "x"}},
       true},
      {"through a relative link",
       {{.path = "out", .type = 'l', .target = "../../../../../../tmp"},
        {.path = "out/keelson-escape", .text = "x"}},
       true},
      {"over a link",
       {{.path = "f", .type = 'l', .target = victim}, {.path = "f", .text = "overwritten"}},
       false},
      {"hard link out", {{.path = "h", .type = 'h', .target = victim}}, true},
      {"hard link through a link",
       {{.path = "out", .type = 'l', .target = folder.path()},
        {.path = "h", .type = 'h', .target = "out/victim"},
        {.path = "h", .text = "overwritten"}},
       true},
      {"device", {{.path = "disk", .type = 'b'}, {.path = "null", .type = 'c'}}, false},
      {"whiteout of nothing", {{.path = ".wh."}}, true},
      {"whiteout of dots", {{.path = ".wh..."}}, true},
      {"link to itself",
       {{.path = "a", .type = 'l', .target = "a"}, {.path = "a/b", .text = "x"}},
       true},
  };
  for (const auto& c : cases) {
    const auto images = import(make_oci_archive({.layers = {c.entries}}));
    CHECK_TEXT(images.has_value() != c.refused,
               (std::string(c.name) + ": " + error_of(images)).c_str());
    CHECK_TEXT(!exists("/tmp/keelson-escape"), c.name);
    STRCMP_EQUAL_TEXT("untouched", read_text(victim).c_str(), c.name);
    if (images) CHECK_TEXT(store->remove(images->at(0).id).has_value(), c.name);
  }
  CHECK(store->sweep().has_value());
  CHECK(fs::is_empty(folder / "store/layers"));
  CHECK(fs::is_empty(folder / "store/tmp"));
}

TEST(ImageStore, bounds_what_an_archive_may_grow_to) {
  auto small = ImageStore::open(folder / "small", {.image_bytes = 100'000,
                                                   .archive_bytes = 300'000,
                                                   .entries = 100,
                                                   .layers = 2,
                                                   .document_bytes = 10'000});
  CHECK(small.has_value());
  const std::string large(200'000, 'x');
  std::vector<TarEntry> many;
  for (int i = 0; i < 200; ++i) many.push_back({.path = "f" + std::to_string(i)});
  struct Case {
    const char* words;
    ImageSpec spec;
  };
  const Case cases[] = {
      {"more than 100000 bytes in all", {.layers = {{{.path = "f", .text = large}}}}},
      {"more than 100 entries", {.layers = {many}}},
      {"3 layers, at most 2", {.layers = {{{.path = "a"}}, {{.path = "b"}}, {{.path = "c"}}}}},
      {"grows beyond its bound",
       {.layers = {{{.path = "f", .text = large + large}}}, .squeezed = Squeeze::None}},
      {"at most 10000",
       {.layers = {{{.path = "f"}}}, .config = "{\"Cmd\":[\"" + std::string(20'000, 'x') + "\"]}"}},
  };
  for (const auto& c : cases) {
    write_text(folder / "archive.tar", make_oci_archive(c.spec));
    const auto images = small->import(folder / "archive.tar");
    CHECK_TEXT(!images.has_value(), c.words);
    CHECK_TEXT(images.error().message.contains(c.words), images.error().message.c_str());
    CHECK_TEXT(fs::is_empty(folder / "small/tmp"), c.words);
    CHECK_TEXT(fs::is_empty(folder / "small/layers"), c.words);
  }
}

TEST(ImageStore, refuses_what_is_damaged_and_says_what) {
  struct Case {
    const char* words;
    const char* file;  // whose content is replaced: the n-th of the layout
    std::string text;
  };
  const ImageSpec spec = small_image();
  const auto damaged = [&](std::size_t index, const std::string& text) {
    auto files = oci_layout(spec);
    files.at(index).text = text;
    return import(make_tar(files));
  };
  // oci-layout, layer, configuration, manifest, index.json
  STRCMP_CONTAINS("layer 1: layer: ", error_of(damaged(1, "garbage")).c_str());
  STRCMP_CONTAINS("configuration: digest is sha256:", error_of(damaged(2, "{}")).c_str());
  STRCMP_CONTAINS("digest does not fit", error_of(damaged(3, "{}")).c_str());
  STRCMP_CONTAINS("index: ", error_of(damaged(4, "{\"manifests\":7}")).c_str());
  STRCMP_CONTAINS("is no archive of images", error_of(import("not a tar")).c_str());
  STRCMP_CONTAINS("is no image archive", error_of(import(make_tar({{.path = "x"}}))).c_str());
  ImageSpec other = spec;
  other.machine = "s390x";
  STRCMP_CONTAINS("is for s390x, not amd64", error_of(import(make_oci_archive(other))).c_str());
  ImageSpec nameless = spec;
  nameless.name = "v1";
  STRCMP_CONTAINS("without a name", error_of(import(make_oci_archive(nameless))).c_str());
  CHECK(import(make_oci_archive(nameless), "given.local/name").has_value());
}

TEST(ImageStore, refuses_a_layer_of_another_digest) {
  ImageSpec spec = small_image();
  spec.squeezed = Squeeze::None;
  auto files = oci_layout(spec);
  files.at(1).text.at(files.at(1).text.find("#!/bin/sh")) = '%';  // still a tar
  const auto images = import(make_tar(files));
  CHECK(!images.has_value());
  STRCMP_CONTAINS("digest is sha256:", images.error().message.c_str());
}

TEST(ImageStore, deletes_what_no_name_and_no_user_needs) {
  const ImageSpec one{.layers = {{{.path = "base", .text = "base"}}, {{.path = "1", .text = "1"}}},
                      .name = "test.local/one:v1"};
  const ImageSpec two{.layers = {{{.path = "base", .text = "base"}}, {{.path = "2", .text = "22"}}},
                      .name = "test.local/two:v1"};
  const auto first = import(make_oci_archive(one));
  CHECK(first.has_value() && import(make_oci_archive(two)).has_value());
  LONGS_EQUAL(4 + 1 + 2, *store->usage_bytes());
  const auto held = store->hold(first->at(0), "node-1", "container");
  CHECK(held.has_value());

  CHECK(store->remove("test.local/one:v1").has_value());
  CHECK(store->find("test.local/one:v1").error().reason == Reason::NotFound);
  LONGS_EQUAL(7, *store->usage_bytes());  // a container needs it
  CHECK(exists(held->at(1) + "/1"));

  CHECK(store->release_others("node-1", {"container"}).has_value());
  LONGS_EQUAL(0, *store->sweep());
  CHECK(store->release_others("node-1", {}).has_value());
  LONGS_EQUAL(1, *store->sweep());
  LONGS_EQUAL(6, *store->usage_bytes());  // the shared layer stays with two
  CHECK(store->remove("test.local/two:v1").has_value());
  LONGS_EQUAL(0, *store->usage_bytes());
  for (const char* name : {"blobs", "images", "layers", "l", "tmp"}) {
    CHECK_TEXT(fs::is_empty(folder / ("store/" + std::string(name))), name);
  }
}

TEST(ImageStore, tags_and_lists) {
  const auto images = import(make_oci_archive(small_image()));
  CHECK(images.has_value());
  CHECK(store->tag("test.local/image:v1", "other.local/name").has_value());
  const auto listed = store->list();
  LONGS_EQUAL(1, listed->size());
  LONGS_EQUAL(2, listed->at(0).names.size());
  CHECK(store->remove("test.local/image:v1").has_value());
  CHECK(store->find("other.local/name").has_value());
  CHECK(store->tag("test.local/gone", "x").error().reason == Reason::NotFound);
  CHECK(store->remove(images->at(0).id).has_value());
  LONGS_EQUAL(0, store->list()->size());
}

// Six processes import the same two images while one keeps sweeping.
TEST(ImageStore, several_importers_and_a_sweeper_do_not_harm_each_other) {
  std::vector<TarEntry> files;
  for (int i = 0; i < 100; ++i) {
    files.push_back({.path = "dir/f" + std::to_string(i), .text = std::string(100, 'x')});
  }
  write_text(folder / "a.tar", make_oci_archive({.layers = {files}, .name = "test.local/a:v1"}));
  write_text(folder / "b.tar", make_oci_archive({.layers = {files, {{.path = "b", .text = "b"}}},
                                                 .name = "test.local/b:v1"}));
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      auto own = ImageStore::open(folder / "store");
      const auto images = own->import(folder / (i % 2 == 0 ? "a.tar" : "b.tar"));
      const bool swept = own->sweep().has_value();
      _exit(images && swept ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(0, status);
  }
  LONGS_EQUAL(2, store->list()->size());
  LONGS_EQUAL(100 * 100 + 1, *store->usage_bytes());
  LONGS_EQUAL(2, std::distance(fs::directory_iterator(folder / "store/l"), {}));
  CHECK(fs::is_empty(folder / "store/tmp"));
}

TEST(ImageStore, an_import_that_is_killed_leaves_nothing_a_sweep_does_not_find) {
  std::vector<TarEntry> files;
  for (int i = 0; i < 3000; ++i) files.push_back({.path = "f" + std::to_string(i), .text = "x"});
  write_text(folder / "a.tar", make_oci_archive({.layers = {files}, .name = "test.local/a:v1"}));
  for (int round = 0; round < 10; ++round) {
    const pid_t pid = fork();
    if (pid == 0) {
      auto own = ImageStore::open(folder / "store");
      _exit(own->import(folder / "a.tar") ? 0 : 1);
    }
    usleep(static_cast<useconds_t>(3000 * round));
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    CHECK(store->sweep().has_value());
    CHECK(fs::is_empty(folder / "store/tmp"));
    const auto found = store->find("test.local/a:v1");
    if (found) {
      LONGS_EQUAL(3000, *store->usage_bytes());  // whole
    } else {
      CHECK(fs::is_empty(folder / "store/layers"));
    }
  }
}

TEST_GROUP(ImageName){};

TEST(ImageName, is_made_whole_as_docker_does_it) {
  struct Case {
    const char *given, *whole;
  };
  const std::string digest = "@sha256:" + std::string(64, 'a');
  const std::string with_digest = "a.io/b:v1" + digest;
  const std::string without_tag = "a.io/b" + digest;
  const Case cases[] = {{"nginx", "docker.io/library/nginx:latest"},
                        {"nginx:1.25", "docker.io/library/nginx:1.25"},
                        {"bitnami/redis", "docker.io/bitnami/redis:latest"},
                        {"keelson.local/hello", "keelson.local/hello:latest"},
                        {"localhost/x:y", "localhost/x:y"},
                        {"localhost:5000/x", "localhost:5000/x:latest"},
                        {"gcr.io/a/b/c:v1", "gcr.io/a/b/c:v1"},
                        {"a__b/c-d.e", "docker.io/a__b/c-d.e:latest"},
                        {with_digest.c_str(), without_tag.c_str()}};
  for (const auto& c : cases) {
    const auto whole = normalize_image_name(c.given);
    CHECK_TEXT(whole.has_value(), c.given);
    STRCMP_EQUAL_TEXT(c.whole, whole->c_str(), c.given);
  }
}

TEST(ImageName, is_refused_where_docker_refuses_it) {
  for (const char* name : {"", "UPPER", "a//b", "/a", "a/", "a:", "a:-x", "a b", "../x",
                           "a@sha256:1", "x:y:z/", "-a", "a..b", "a:t/../u"}) {
    CHECK_TEXT(!normalize_image_name(name).has_value(), name);
  }
  CHECK(!normalize_image_name(std::string(300, 'a')).has_value());
}

}  // namespace keelson::isolation
