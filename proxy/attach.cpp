// Pinned links to the cgroup and the uplink; clsact where the kernel has no tc links.
#include "proxy/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/fd.h"
#include "base/log.h"

namespace keelson::proxy {
namespace {

struct SocketHook {
  const char* program;
  bpf_attach_type type;
};

// sendmsg6 is missing on purpose: a datagram to ::ffff:a.b.c.d goes through sendmsg4.
constexpr SocketHook socket_hooks[] = {
    {"connect4", BPF_CGROUP_INET4_CONNECT},         {"connect6", BPF_CGROUP_INET6_CONNECT},
    {"sendmsg4", BPF_CGROUP_UDP4_SENDMSG},          {"recvmsg4", BPF_CGROUP_UDP4_RECVMSG},
    {"recvmsg6", BPF_CGROUP_UDP6_RECVMSG},          {"getpeername4", BPF_CGROUP_INET4_GETPEERNAME},
    {"getpeername6", BPF_CGROUP_INET6_GETPEERNAME}, {"post_bind4", BPF_CGROUP_INET4_POST_BIND},
    {"post_bind6", BPF_CGROUP_INET6_POST_BIND},
};

// enum bpf_attach_type of Linux 6.6; the headers of Debian 12 are older.
constexpr auto tcx_ingress = static_cast<bpf_attach_type>(46);
constexpr auto tcx_egress = static_cast<bpf_attach_type>(47);

struct TcHook {
  const char* program;
  bpf_attach_type link_type;
  bpf_tc_attach_point point;
};
constexpr TcHook uplink_hooks[] = {
    {"nodeport_ingress", tcx_ingress, BPF_TC_INGRESS},
    {"nodeport_egress", tcx_egress, BPF_TC_EGRESS},
};
// Which classifier is ours among others of the interface.
constexpr std::uint32_t tc_handle = 1;
constexpr std::uint32_t tc_priority = 0x6b65;

std::string links_folder(const std::string& bpffs) {
  return pins_folder(bpffs) + "/links";
}

struct LinkTarget {
  int fd_or_ifindex = -1;
  std::uint64_t id = 0;  // what the kernel says a link is attached to: cgroup id or interface index
  bpf_attach_type type{};
};

bool is_tcx(const LinkTarget& target) {
  return target.type == tcx_ingress || target.type == tcx_egress;
}

// A link whose cgroup or interface is gone still has its pin, and is attached to nothing.
bool is_attached_to(int link, const LinkTarget& target) {
  bpf_link_info info{};
  std::uint32_t size = sizeof(info);
  if (::bpf_obj_get_info_by_fd(link, &info, &size) != 0) return false;
  // A tcx link has its interface index where an XDP link has it.
  return is_tcx(target) ? info.xdp.ifindex == target.id : info.cgroup.cgroup_id == target.id;
}

// libbpf 1.1 knows no tcx links: the system call itself.
int create_tcx_link(int program, const LinkTarget& target) {
  bpf_attr attributes;
  std::memset(&attributes, 0, sizeof(attributes));
  attributes.link_create.prog_fd = static_cast<std::uint32_t>(program);
  attributes.link_create.target_ifindex = static_cast<std::uint32_t>(target.fd_or_ifindex);
  attributes.link_create.attach_type = target.type;
  return static_cast<int>(
      ::syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof(attributes.link_create)));
}

int create_link(int program, const LinkTarget& target) {
  return is_tcx(target) ? create_tcx_link(program, target)
                        : ::bpf_link_create(program, target.fd_or_ifindex, target.type, nullptr);
}

// The pinned link with this program in it; a new one only where there is none yet.
Result<> hold_link(const std::string& pin, int program, const LinkTarget& target) {
  const Fd known(::bpf_obj_get(pin.c_str()));
  if (known && is_attached_to(known.get(), target)) {
    if (::bpf_link_update(known.get(), program, nullptr) == 0) return {};
    log_warn("replace a program", {{"pin", pin}, {"error", errno_text(errno)}});
  }
  if (::unlink(pin.c_str()) != 0 && errno != ENOENT) return fail_errno(errno, "unpin {}", pin);
  const Fd link(create_link(program, target));
  if (!link) return fail_errno(errno, "attach {}", pin.substr(pin.rfind('/') + 1));
  if (::bpf_obj_pin(link.get(), pin.c_str()) != 0) return fail_errno(errno, "pin {}", pin);
  return {};
}

Result<> make_links_folder(const std::string& bpffs) {
  const std::string folder = links_folder(bpffs);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno(errno, "make folder {}", folder);
  return {};
}

Result<Fd> open_cgroup(const std::string& path) {
  Fd cgroup(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!cgroup) return fail_errno(errno, "open cgroup {}", path);
  struct statfs info {};
  if (::fstatfs(cgroup.get(), &info) != 0 || info.f_type != CGROUP2_SUPER_MAGIC)
    return fail(Reason::Invalid, "{} is not in a cgroup2 file system: socket programs need one",
                path);
  return cgroup;
}

Result<> attach_classifier(const TcHook& hook, int program, unsigned ifindex) {
  DECLARE_LIBBPF_OPTS(bpf_tc_hook, at, .ifindex = static_cast<int>(ifindex),
                      .attach_point = hook.point);
  if (const int error = ::bpf_tc_hook_create(&at); error != 0 && error != -EEXIST)
    return fail_errno(-error, "make clsact on interface {}", ifindex);
  DECLARE_LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .flags = BPF_TC_F_REPLACE,
                      .handle = tc_handle, .priority = tc_priority);
  if (const int error = ::bpf_tc_attach(&at, &options); error != 0)
    return fail_errno(-error, "attach {} to interface {}", hook.program, ifindex);
  return {};
}

void detach_classifier(const TcHook& hook, unsigned ifindex) {
  DECLARE_LIBBPF_OPTS(bpf_tc_hook, at, .ifindex = static_cast<int>(ifindex),
                      .attach_point = hook.point);
  DECLARE_LIBBPF_OPTS(bpf_tc_opts, options, .handle = tc_handle, .priority = tc_priority);
  (void)::bpf_tc_detach(&at, &options);  // most often there is none
}

// The programs find the IPv4 header behind an Ethernet one.
Result<> check_ethernet(unsigned ifindex) {
  ifreq request{};
  if (::if_indextoname(ifindex, request.ifr_name) == nullptr)
    return fail_errno(errno, "find interface {}", ifindex);
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket || ::ioctl(socket.get(), SIOCGIFHWADDR, &request) != 0)
    return fail_errno(errno, "ask for the type of {}", request.ifr_name);
  if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
    return fail(Reason::Invalid, "{} is no Ethernet interface: node ports need one as uplink",
                request.ifr_name);
  return {};
}

}  // namespace

Result<> attach_sockets(const DatapathSettings& settings, const Programs& programs) {
  const auto cgroup = open_cgroup(settings.cgroup);
  if (!cgroup) return std::unexpected(cgroup.error());
  struct stat status {};
  if (::fstat(cgroup->get(), &status) != 0) return fail_errno(errno, "look at {}", settings.cgroup);
  if (auto made = make_links_folder(settings.bpffs); !made) return made;
  for (const auto& hook : socket_hooks) {
    const LinkTarget target{.fd_or_ifindex = cgroup->get(), .id = status.st_ino, .type = hook.type};
    const std::string pin = fmt::format("{}/{}", links_folder(settings.bpffs), hook.program);
    if (auto held = hold_link(pin, programs.fd(hook.program), target); !held)
      return held.error().during("attach to {}", settings.cgroup);
  }
  return {};
}

Result<TcMode> attach_uplink(const DatapathSettings& settings, const Programs& programs) {
  if (auto good = check_ethernet(settings.uplink); !good) return std::unexpected(good.error());
  if (auto made = make_links_folder(settings.bpffs); !made) return std::unexpected(made.error());
  TcMode mode = TcMode::Tcx;
  for (const auto& hook : uplink_hooks) {
    const LinkTarget target{.fd_or_ifindex = static_cast<int>(settings.uplink),
                            .id = settings.uplink,
                            .type = hook.link_type};
    const std::string pin = fmt::format("{}/{}", links_folder(settings.bpffs), hook.program);
    const int program = programs.fd(hook.program);
    if (mode == TcMode::Tcx && hold_link(pin, program, target)) continue;
    mode = TcMode::Clsact;  // Linux before 6.6
    if (auto done = attach_classifier(hook, program, settings.uplink); !done)
      return std::unexpected(done.error());
  }
  return mode;
}

Result<> attach_pod(int program, unsigned ifindex) {
  return attach_classifier({"pod_ingress", tcx_ingress, BPF_TC_INGRESS}, program, ifindex);
}

void remove_old_maps(const std::string& bpffs, const std::string& current_maps_folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(pins_folder(bpffs), error)) {
    const std::string path = entry.path();
    const bool is_maps = entry.path().filename().string().starts_with("maps-");
    if (is_maps && path != current_maps_folder) std::filesystem::remove_all(path, error);
  }
}

Result<> remove_datapath(const std::string& bpffs, unsigned uplink) {
  if (uplink != 0)
    for (const auto& hook : uplink_hooks) detach_classifier(hook, uplink);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(links_folder(bpffs), error)) {
    // Without its pin alone a link would stay in force until the kernel gets to it.
    const Fd link(::bpf_obj_get(entry.path().c_str()));
    if (link) (void)::bpf_link_detach(link.get());
  }
  std::filesystem::remove_all(pins_folder(bpffs), error);
  if (error) return fail_errno(error.value(), "remove {}", pins_folder(bpffs));
  return {};
}

}  // namespace keelson::proxy
