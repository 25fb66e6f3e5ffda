// The tables of steps, and how a failed one is told.
#include "isolation/spawner/inside.h"

#include <cstring>

namespace keelson::isolation {
namespace {

using wire::Step;

constexpr InsideRow container_steps[] = {
    {Step::Session, start_session},
    {Step::Cgroup, join_cgroup},
    {Step::Namespaces, join_sandbox},
    {Step::Root, mount_root},
    {Step::Proc, mount_proc},
    {Step::Dev, make_dev},
    {Step::Terminal, make_terminal},
    {Step::Sys, mount_sys},
    {Step::CgroupMount, mount_cgroups},
    {Step::Mounts, mount_volumes},
    {Step::Mask, mask_paths},
    {Step::ReadOnly, make_read_only},
    {Step::Pivot, change_root},
    {Step::WorkingDirectory, enter_working_directory},
    {Step::Limits, set_limits},
    {Step::Go, await_go},
    {Step::Privileges, drop_privileges},
    {Step::Lookup, find_program},
    {Step::Execute, execute},
};

constexpr InsideRow exec_steps[] = {
    {Step::Session, start_session},
    {Step::Cgroup, join_cgroup},
    {Step::Namespaces, join_container},
    {Step::Terminal, find_terminal},
    {Step::WorkingDirectory, enter_working_directory},
    {Step::Limits, set_limits},
    {Step::Go, await_go},
    {Step::Privileges, drop_privileges},
    {Step::Lookup, find_program},
    {Step::Execute, execute},
};

template <int count>
void run(Inside& inside, const InsideRow (&steps)[count]) {
  for (const InsideRow& row : steps) {
    inside.detail[0] = 0;
    const int result = row.run(inside);
    if (result >= 0) continue;
    InsideReport report{row.step, -result, {}};
    memcpy(report.detail, inside.detail, sizeof report.detail);
    inside.kernel.write(inside.report, &report, sizeof report);
    return;
  }
}

}  // namespace

void run_container(Inside& inside) {
  run(inside, container_steps);
}

void run_exec(Inside& inside) {
  run(inside, exec_steps);
}

void note(Inside& inside, const char* text) {
  const std::size_t size = strnlen(text, sizeof inside.detail - 1);
  memcpy(inside.detail, text, size);
  inside.detail[size] = 0;
}

}  // namespace keelson::isolation
