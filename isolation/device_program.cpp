// The device rules as a BPF program, for cgroup v2.
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>

#include "isolation/devices.h"

namespace keelson::isolation {
namespace {

// Registers: r1 the context (bpf_cgroup_dev_ctx), r2 its access_type: type in the low, access in
// the high 16 bits; r4 and r5 major and minor, r3 for work.
constexpr bpf_insn load(int to, int offset) {
  return {BPF_LDX | BPF_MEM | BPF_W, static_cast<__u8>(to & 15), BPF_REG_1,
          static_cast<__s16>(offset), 0};
}
constexpr bpf_insn move(int to, int from) {
  return {BPF_ALU | BPF_MOV | BPF_X, static_cast<__u8>(to & 15), static_cast<__u8>(from & 15), 0,
          0};
}
constexpr bpf_insn alu(int operation, int to, int value) {
  return {static_cast<__u8>(BPF_ALU | operation | BPF_K), static_cast<__u8>(to & 15), 0, 0, value};
}
constexpr bpf_insn unless_equal(int reg, int value) {  // skips what is filled in later
  return {BPF_JMP | BPF_JNE | BPF_K, static_cast<__u8>(reg & 15), 0, 0, value};
}
constexpr bpf_insn answer(int value) {
  return {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value};
}
constexpr bpf_insn leave = {BPF_JMP | BPF_EXIT, 0, 0, 0, 0};

int access_bits(const std::string& access) {
  int bits = 0;
  if (access.contains('m')) bits |= BPF_DEVCG_ACC_MKNOD;
  if (access.contains('r')) bits |= BPF_DEVCG_ACC_READ;
  if (access.contains('w')) bits |= BPF_DEVCG_ACC_WRITE;
  return bits;
}

// Allows if type, number and every wanted access match; else falls through to the next rule.
void add_rule(std::vector<bpf_insn>& program, const DeviceRule& rule) {
  std::vector<bpf_insn> body;
  if (rule.type != 'a') {
    body.push_back(move(BPF_REG_3, BPF_REG_2));
    body.push_back(alu(BPF_AND, BPF_REG_3, 0xffff));
    body.push_back(
        unless_equal(BPF_REG_3, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
  }
  const int bits = access_bits(rule.access);
  body.push_back(move(BPF_REG_3, BPF_REG_2));
  body.push_back(alu(BPF_RSH, BPF_REG_3, 16));
  body.push_back(alu(BPF_AND, BPF_REG_3, ~bits & 7));
  body.push_back(unless_equal(BPF_REG_3, 0));
  if (rule.major >= 0) body.push_back(unless_equal(BPF_REG_4, rule.major));
  if (rule.minor >= 0) body.push_back(unless_equal(BPF_REG_5, rule.minor));
  body.push_back(answer(1));
  body.push_back(leave);
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i].code == (BPF_JMP | BPF_JNE | BPF_K)) {
      body[i].off = static_cast<__s16>(body.size() - i - 1);
    }
  }
  std::ranges::copy(body, std::back_inserter(program));
}

}  // namespace

Result<> attach_device_program(int cgroup_fd, const std::vector<DeviceRule>& rules) {
  std::vector<bpf_insn> program = {load(BPF_REG_2, 0), load(BPF_REG_4, 4), load(BPF_REG_5, 8)};
  for (const auto& rule : rules) add_rule(program, rule);
  program.push_back(answer(0));
  program.push_back(leave);
  const Fd loaded(bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "keelson_devices", "Apache-2.0",
                                program.data(), program.size(), nullptr));
  if (!loaded) return fail_errno(errno, "load the device rules");
  if (bpf_prog_attach(loaded.get(), cgroup_fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI) < 0) {
    return fail_errno(errno, "attach the device rules");
  }
  return {};
}

}  // namespace keelson::isolation
