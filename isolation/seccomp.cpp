// From profiles to BPF by libseccomp, once for each.
#include "isolation/seccomp.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>

#include "base/fd.h"
#include "isolation/capabilities.h"
#include "isolation/seccomp_profile.h"

namespace keelson::isolation {
namespace {

constexpr std::size_t programs_max = 64;  // distinct profiles kept; each is about 10 kB

#if defined(__x86_64__)
constexpr const char* machine = "amd64";
constexpr std::uint32_t other_machines[] = {SCMP_ARCH_X86, SCMP_ARCH_X32};
#elif defined(__aarch64__)
constexpr const char* machine = "arm64";
constexpr std::uint32_t other_machines[] = {SCMP_ARCH_ARM};
#endif

struct FilterFree {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FilterFree>;

Result<std::uint32_t> action_of(const std::string& name, int error_number) {
  const auto error = static_cast<std::uint32_t>(error_number & 0xffff);
  if (name == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
  if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(error);
  if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SCMP_ACT_KILL_THREAD;
  if (name == "SCMP_ACT_KILL_PROCESS") return SCMP_ACT_KILL_PROCESS;
  if (name == "SCMP_ACT_TRAP") return SCMP_ACT_TRAP;
  if (name == "SCMP_ACT_LOG") return SCMP_ACT_LOG;
  return fail(Reason::Invalid, "seccomp profile: action {} is not supported", name);
}

Result<scmp_arg_cmp> argument_of(const SeccompArgument& argument) {
  constexpr std::pair<const char*, scmp_compare> operators[] = {
      {"SCMP_CMP_NE", SCMP_CMP_NE},
      {"SCMP_CMP_LT", SCMP_CMP_LT},
      {"SCMP_CMP_LE", SCMP_CMP_LE},
      {"SCMP_CMP_EQ", SCMP_CMP_EQ},
      {"SCMP_CMP_GE", SCMP_CMP_GE},
      {"SCMP_CMP_GT", SCMP_CMP_GT},
      {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
  for (const auto& [name, op] : operators) {
    if (argument.op != name || argument.index > 5) continue;
    return scmp_arg_cmp{argument.index, op, argument.value, argument.value_two};
  }
  return fail(Reason::Invalid, "seccomp profile: argument {} {}", argument.index, argument.op);
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_for(const SeccompRule& rule, std::uint64_t capabilities) {
  const auto held = [&](const std::string& name) {
    const auto bit = capability_bit(name);
    return bit && (capabilities & *bit) != 0;
  };
  return std::ranges::all_of(rule.with_capabilities, held) &&
         std::ranges::none_of(rule.without_capabilities, held) &&
         (rule.machines.empty() || has(rule.machines, machine)) && !has(rule.not_machines, machine);
}

Result<> add_rule(void* filter, const SeccompRule& rule, std::uint32_t default_action) {
  const auto action = action_of(rule.action, rule.error_number);
  if (!action) return std::unexpected(action.error());
  if (*action == default_action) return {};  // libseccomp refuses what changes nothing
  std::vector<scmp_arg_cmp> arguments;
  for (const auto& each : rule.arguments) {
    const auto argument = argument_of(each);
    if (!argument) return std::unexpected(argument.error());
    arguments.push_back(*argument);
  }
  for (const auto& name : rule.names) {
    const int number = seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) continue;  // this libseccomp is older than the call
    const int result = seccomp_rule_add_array(
        filter, *action, number, static_cast<unsigned>(arguments.size()), arguments.data());
    if (result < 0) return fail_errno(-result, "seccomp rule for {}", name);
  }
  return {};
}

Result<SeccompProgram> export_program(void* filter) {
  const Fd memory(memfd_create("keelson-seccomp", MFD_CLOEXEC));
  const int result = seccomp_export_bpf(filter, memory.get());
  if (result < 0) return fail_errno(-result, "compile a seccomp profile");
  const auto size = lseek(memory.get(), 0, SEEK_END);
  auto program = std::make_shared<std::vector<sock_filter>>(static_cast<std::size_t>(size) /
                                                            sizeof(sock_filter));
  if (pread(memory.get(), program->data(), static_cast<std::size_t>(size), 0) != size) {
    return fail_errno(errno, "read a compiled seccomp profile");
  }
  return program;
}

Result<SeccompProgram> compile(const SeccompProfile& profile, std::uint64_t capabilities) {
  const auto default_action = action_of(profile.default_action, profile.default_error_number);
  if (!default_action) return std::unexpected(default_action.error());
  const Filter filter(seccomp_init(*default_action));
  if (!filter) return fail(Reason::InternalError, "libseccomp does not start");
  for (const std::uint32_t other : other_machines) {
    const int result = seccomp_arch_add(filter.get(), other);
    if (result < 0) return fail_errno(-result, "seccomp architecture");
  }
  // A binary tree of calls: loaded in a tenth of the time of the linear one.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_NNP, 0);
  for (const auto& rule : profile.rules) {
    if (!is_for(rule, capabilities)) continue;
    auto added = add_rule(filter.get(), rule, *default_action);
    if (!added) return std::unexpected(added.error());
  }
  return export_program(filter.get());
}

// Those of the held capabilities that any rule asks for: what else one has, makes no difference.
std::uint64_t capabilities_that_matter(const SeccompProfile& profile, std::uint64_t held) {
  std::uint64_t mask = 0;
  for (const auto& rule : profile.rules) {
    for (const auto* names : {&rule.with_capabilities, &rule.without_capabilities}) {
      for (const auto& name : *names) mask |= capability_bit(name).value_or(0);
    }
  }
  return held & mask;
}

}  // namespace

struct SeccompCache::Impl {
  std::mutex mutex;
  std::map<std::pair<std::string, std::uint64_t>, SeccompProgram> programs;  // by profile, rights
};

SeccompCache::SeccompCache() : impl_(std::make_unique<Impl>()) {}
SeccompCache::~SeccompCache() = default;

Result<SeccompProgram> SeccompCache::get(const SeccompSpec& spec, std::uint64_t capabilities) {
  if (spec.kind == SeccompSpec::Kind::Unconfined) return SeccompProgram();
  const bool is_default = spec.kind == SeccompSpec::Kind::Default;
  const std::scoped_lock lock(impl_->mutex);
  // The default's rights are known without making it: the usual case is a look-up.
  const auto exact = impl_->programs.find({spec.profile_json, capabilities});
  if (exact != impl_->programs.end()) return exact->second;
  auto profile = is_default ? default_seccomp_profile() : parse_seccomp_profile(spec.profile_json);
  if (!profile) return std::unexpected(profile.error());
  const std::uint64_t matter = capabilities_that_matter(*profile, capabilities);
  if (impl_->programs.size() >= programs_max) impl_->programs.clear();
  SeccompProgram& program = impl_->programs[{spec.profile_json, matter}];
  if (program == nullptr) {
    auto compiled = compile(*profile, capabilities);
    if (!compiled) {
      impl_->programs.erase({spec.profile_json, matter});
      return std::unexpected(compiled.error());
    }
    program = *compiled;
  }
  impl_->programs[{spec.profile_json, capabilities}] = program;
  return program;
}

}  // namespace keelson::isolation
