// What a container may do, on the real kernel: capabilities, filter, devices, hidden paths.
#include <sys/stat.h>

#include <filesystem>
#include <memory>

#include "isolation/capabilities.h"
#include "tests/isolation/node.h"

#include <CppUTest/TestHarness.h>

namespace keelson::isolation {
namespace fs = std::filesystem;

TEST_GROUP(Rights) {
  std::unique_ptr<TestNode> node;
  void setup() override {
    if (can_run_containers()) node = std::make_unique<TestNode>();
  }
  void teardown() override {
    node.reset();
  }

  std::string status_of(const ContainerSpec& spec) {
    const auto ran = node->run(spec);
    CHECK_TEXT(ran.started, ran.started ? "" : ran.started.error().message.c_str());
    return ran.output;
  }
};

static constexpr const char* status_script =
    "grep -e CapInh -e CapPrm -e CapEff -e CapBnd -e CapAmb -e NoNew -e Seccomp: /proc/self/status "
    "| tr -d '\\t'";

TEST(Rights, are_the_runtimes_defaults) {
  if (node == nullptr) return;
  STRCMP_EQUAL(
      "CapInh:0000000000000000\nCapPrm:00000000a80425fb\nCapEff:00000000a80425fb\n"
      "CapBnd:00000000a80425fb\nCapAmb:0000000000000000\nNoNewPrivs:0\nSeccomp:2\n",
      status_of(node->shell("c", status_script)).c_str());
}

TEST(Rights, of_a_user_other_than_root_are_none_and_its_bound_stays) {
  if (node == nullptr) return;
  auto spec = node->shell("c", status_script);
  spec.process.user.uid = 1000;
  spec.process.no_new_privileges = true;
  STRCMP_EQUAL(
      "CapInh:0000000000000000\nCapPrm:0000000000000000\nCapEff:0000000000000000\n"
      "CapBnd:00000000a80425fb\nCapAmb:0000000000000000\nNoNewPrivs:1\nSeccomp:2\n",
      status_of(spec).c_str());
}

TEST(Rights, are_added_and_dropped_by_name) {
  if (node == nullptr) return;
  auto spec = node->shell("c", status_script);
  spec.process.capabilities = {.add = {"NET_ADMIN"}, .drop = {"ALL"}};
  STRCMP_CONTAINS("CapEff:0000000000001000\nCapBnd:0000000000001000\n", status_of(spec).c_str());
  auto none = node->shell("d", std::string(status_script) + "; chown 1 /tmp 2>&1");
  none.process.capabilities.drop = {"ALL"};
  const std::string output = status_of(none);
  STRCMP_CONTAINS("CapEff:0000000000000000\n", output.c_str());
  STRCMP_CONTAINS("Operation not permitted", output.c_str());
}

TEST(Rights, of_a_privileged_container_are_all_there_are) {
  if (node == nullptr) return;
  auto spec =
      node->shell("c", std::string(status_script) +
                           "; [ -e /dev/loop-control -o -e /dev/kmsg ] && echo devices; "
                           "mkdir /tmp/m && mount -t tmpfs x /tmp/m && echo mounted; "
                           "echo 0 > /proc/sys/kernel/nmi_watchdog; head -c1 /proc/kcore | wc -c");
  spec.process.privileged = true;
  const std::string output = status_of(spec);
  char bounding[64];
  snprintf(bounding, sizeof bounding, "CapBnd:%016llx\n",
           static_cast<unsigned long long>(bounding_set()));
  STRCMP_CONTAINS(bounding, output.c_str());
  STRCMP_CONTAINS("Seccomp:0\n", output.c_str());
  STRCMP_CONTAINS("devices\nmounted\n", output.c_str());
}

TEST(Rights, keep_the_nodes_kernel_out_of_reach) {
  if (node == nullptr) return;
  struct Case {
    const char* name;
    const char* script;
    const char* words;
  };
  const Case cases[] = {
      {"mount", "mkdir /m; mount -t tmpfs x /m", "ermission"},
      {"unshare", "unshare -U true", "Operation not permitted"},
      {"sysctl", "echo 1 > /proc/sys/kernel/panic", "Read-only file system"},
      {"sysfs", "echo 1 > /sys/kernel/profiling", "Read-only file system"},
      {"kcore", "head -c1 /proc/kcore | wc -c", "0"},
      {"firmware", "ls -A /sys/firmware | wc -l", "0"},
      {"keys", "cat /proc/keys | wc -c", "0"},
      {"remount", "mount -o remount,rw /proc/sys", "ermission"},
      {"chroot out", "mkdir -p /x/bin; cp /bin/busybox /x/bin; chroot /x /bin/busybox ls / ",
       "bin"},
  };
  int count = 0;
  for (const auto& c : cases) {
    const auto ran =
        node->run(node->shell("k" + std::to_string(count++), std::string(c.script) + " 2>&1"));
    CHECK_TEXT(ran.started, c.name);
    CHECK_TEXT(ran.output.contains(c.words), (std::string(c.name) + ": " + ran.output).c_str());
  }
}

TEST(Rights, devices_are_the_usual_ones_and_those_given) {
  if (node == nullptr) return;
  auto spec = node->shell(
      "c",
      "ls /dev; head -c3 /dev/zero | wc -c; head -c3 /dev/urandom | wc -c; echo x > /dev/null;"
      "mknod /tmp/mem c 1 1 && cat /tmp/mem 2>&1 | head -n1;"
      "mknod /tmp/disk b 254 0; cat /tmp/disk 2>&1; cat /tmp/disk; mknod /tmp/null c 1 3 && echo x "
      "> /tmp/null && echo null");
  const std::string output = status_of(spec);
  STRCMP_CONTAINS(
      "core\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\n"
      "urandom\nzero\n3\n3\n",
      output.c_str());
  STRCMP_CONTAINS("cat: can't open '/tmp/mem': Operation not permitted\n", output.c_str());
  STRCMP_CONTAINS("cat: can't open '/tmp/disk': Operation not permitted\n", output.c_str());
  STRCMP_CONTAINS("null\n", output.c_str());
  if (!exists("/dev/kmsg")) return;
  auto given =
      node->shell("d",
                  "ls -l /dev/kmsg | cut -c1; dd if=/dev/kmsg bs=4096 count=1 2>/dev/null | wc -l;"
                  "echo x 2>&1 > /dev/kmsg || echo refused");
  given.devices = {{.path = "/dev/kmsg", .access = "r"}};
  const std::string with = status_of(given);
  STRCMP_CONTAINS("c\n", with.c_str());
  STRCMP_CONTAINS("refused\n", with.c_str());
}

TEST(Rights, terminals_and_shared_memory_are_the_containers_own) {
  if (node == nullptr) return;
  const auto output = status_of(node->shell(
      "c", "ls -A /dev/pts /dev/shm; stat -L -c %a /dev/shm /dev/pts /dev/ptmx /dev/null; umask"));
  STRCMP_EQUAL("/dev/pts:\nptmx\n\n/dev/shm:\n1777\n755\n666\n666\n0022\n", output.c_str());
}

TEST(Rights, no_new_privileges_takes_setuid_away) {
  if (node == nullptr) return;
  for (const bool forbidden : {false, true}) {
    auto spec = node->shell(forbidden ? "f" : "a", "");
    const std::string layer = node->folder / spec.id;
    fs::create_directories(layer + "/suid");
    fs::copy_file(node->layer() + "/bin/probe", layer + "/suid/probe");
    fs::permissions(layer + "/suid/probe", fs::perms(04755));
    spec.rootfs.layers.push_back(layer);
    spec.process.user.uid = 1000;
    spec.process.no_new_privileges = forbidden;
    spec.process.argv = {"/suid/probe", "ids"};
    STRCMP_EQUAL(forbidden ? "ids 1000 1000 1000\n" : "ids 1000 0 0\n", status_of(spec).c_str());
  }
}

TEST(Rights, the_filter_refuses_what_mobys_does) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "");
  spec.process.argv = {"probe", "syscalls"};
  STRCMP_EQUAL(
      "fsopen EPERM\nunshare-user EPERM\nclone-user EPERM\nclone3 ENOSYS\nbpf EPERM\n"
      "kexec_load EPERM\nuserfaultfd EPERM\nio_uring_setup EPERM\nkeyctl EPERM\n"
      "add_key EPERM\nopen_by_handle_at EPERM\nvsock EPERM\npersonality EPERM\n"
      "swapoff EPERM\nreboot EPERM\n",
      status_of(spec).c_str());
}

TEST(Rights, a_capability_opens_the_calls_it_is_for) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "");
  spec.process.argv = {"probe", "syscalls"};
  spec.process.capabilities.add = {"SYS_ADMIN", "DAC_READ_SEARCH"};
  const std::string output = status_of(spec);
  STRCMP_CONTAINS("unshare-user allowed\n", output.c_str());
  STRCMP_CONTAINS("fsopen allowed\n", output.c_str());
  STRCMP_CONTAINS("open_by_handle_at EFAULT\n", output.c_str());
  STRCMP_CONTAINS("kexec_load EPERM\n", output.c_str());
}

TEST(Rights, a_profile_from_a_file_is_obeyed) {
  if (node == nullptr) return;
  auto spec = node->shell("c", "mkdir /x 2>&1; echo $?");
  spec.process.seccomp = {
      .kind = SeccompSpec::Kind::File,
      .profile_json = R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[)"
                      R"({"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":13}]})"};
  spec.process.no_new_privileges = true;
  STRCMP_CONTAINS("Permission denied\n1\n", status_of(spec).c_str());
  auto bad = node->shell("d", "true");
  bad.process.seccomp = {.kind = SeccompSpec::Kind::File, .profile_json = "{"};
  CHECK(node->run(bad).started.error().reason == Reason::Invalid);
  auto open = node->shell("e", "grep Seccomp: /proc/self/status");
  open.process.seccomp.kind = SeccompSpec::Kind::Unconfined;
  STRCMP_CONTAINS("0\n", status_of(open).c_str());
}

}  // namespace keelson::isolation
