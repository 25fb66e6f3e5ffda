// ip_local_reserved_ports: a list of ranges, which the kernel merges and sorts itself.
#include "proxy/reserved_ports.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <fstream>

#include "base/fd.h"

namespace keelson::proxy {

Result<> reserve_ports(std::initializer_list<PortRange> ranges, const std::string& file) {
  std::ifstream current(file);
  std::string list;
  if (!std::getline(current, list) && !current.eof()) return fail_errno(errno, "read {}", file);
  for (const auto& range : ranges)
    list += fmt::format("{}{}-{}", list.empty() ? "" : ",", range.min, range.max);

  const Fd out(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!out) return fail_errno(errno, "open {}", file);
  // In one write: the kernel takes each as the whole list.
  if (::write(out.get(), list.data(), list.size()) != static_cast<ssize_t>(list.size()))
    return fail_errno(errno, "write {} to {}", list, file);
  return {};
}

}  // namespace keelson::proxy
