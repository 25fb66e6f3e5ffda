// Capability names and sets through libcap.
#include "isolation/capabilities.h"

#include <sys/capability.h>

#include <algorithm>
#include <cctype>

namespace keelson::isolation {
namespace {

constexpr std::uint64_t bit(int capability) {
  return 1ULL << capability;
}

std::uint64_t all_capabilities() {
  const int count = cap_max_bits();
  return count >= 64 ? ~0ULL : bit(count) - 1;
}

bool has_all(const std::vector<std::string>& names) {
  return std::ranges::find(names, "ALL") != names.end();
}

// "SYS_ADMIN"
std::string name_of(int capability) {
  char* text = cap_to_name(capability);
  std::string name = text == nullptr ? std::to_string(capability) : text + 4;
  cap_free(text);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name;
}

}  // namespace

std::uint64_t default_capabilities() {
  std::uint64_t bits = 0;
  for (const int capability : {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FSETID, CAP_FOWNER, CAP_MKNOD,
                               CAP_NET_RAW, CAP_SETGID, CAP_SETUID, CAP_SETFCAP, CAP_SETPCAP,
                               CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL, CAP_AUDIT_WRITE}) {
    bits |= bit(capability);
  }
  return bits;
}

Result<std::uint64_t> capability_bit(std::string_view name) {
  std::string full(name);
  if (!full.starts_with("CAP_")) full.insert(0, "CAP_");
  cap_value_t capability = 0;
  if (cap_from_name(full.c_str(), &capability) < 0) {
    return fail(Reason::Invalid, "unknown capability {}", name);
  }
  return bit(capability);
}

std::uint64_t bounding_set() {
  std::uint64_t bits = 0;
  for (int capability = 0; capability < cap_max_bits(); ++capability) {
    if (cap_get_bound(capability) == 1) bits |= bit(capability);
  }
  return bits;
}

Result<CapabilityChoice> choose_capabilities(const CapabilitySpec& spec, bool privileged,
                                             std::uint64_t available) {
  std::uint64_t wanted = default_capabilities();
  std::uint64_t named = 0;  // what it is told of if it cannot have it
  if (has_all(spec.add) || privileged) wanted = named = all_capabilities();
  if (has_all(spec.drop)) wanted = named = 0;
  for (const auto& name : spec.add) {
    if (name == "ALL") continue;
    const auto capability = capability_bit(name);
    if (!capability) return std::unexpected(capability.error());
    wanted |= *capability;
    named |= *capability;
  }
  for (const auto& name : spec.drop) {
    if (name == "ALL") continue;
    const auto capability = capability_bit(name);
    if (!capability) return std::unexpected(capability.error());
    wanted &= ~*capability;
  }
  CapabilityChoice choice{.granted = wanted & available};
  const std::uint64_t refused = wanted & named & ~available;
  for (int capability = 0; capability < 64; ++capability) {
    if ((refused >> capability & 1) != 0) choice.refused.push_back(name_of(capability));
  }
  return choice;
}

}  // namespace keelson::isolation
