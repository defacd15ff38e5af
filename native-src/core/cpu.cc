#include "core/cpu.h"

#include <atomic>

#include "lockstep/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lockstep {
namespace {

#if defined(__x86_64__)
// __builtin_cpu_supports also asks the operating system whether it saves the wide registers; the last three
// features of level 3 have no name in every compiler that we build with, and no register of their own to
// save.
bool has_level_3() {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
  constexpr unsigned MOVBE = 1u << 22, F16C = 1u << 29;
  if ((c & MOVBE) == 0 || (c & F16C) == 0) return false;
  if (!__get_cpuid(0x80000001, &a, &b, &c, &d)) return false;
  constexpr unsigned LZCNT = 1u << 5;
  if ((c & LZCNT) == 0) return false;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2");
}

bool has_level_4() {
  return has_level_3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
#endif

std::vector<InstructionSet> detect() {
  std::vector<InstructionSet> sets = {InstructionSet::BASELINE};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (has_level_3()) sets.push_back(InstructionSet::X86_64_V3);
  if (has_level_4()) sets.push_back(InstructionSet::X86_64_V4);
#endif
  return sets;
}

std::atomic<InstructionSet>& selected() {
  static std::atomic<InstructionSet> set{available_instruction_sets().back()};
  return set;
}

}  // namespace

const std::vector<InstructionSet>& available_instruction_sets() {
  static const std::vector<InstructionSet> sets = detect();
  return sets;
}

InstructionSet instruction_set() { return selected().load(std::memory_order_relaxed); }

void select_instruction_set(InstructionSet set) {
  for (InstructionSet available : available_instruction_sets()) {
    if (available == set) {
      selected().store(set, std::memory_order_relaxed);
      return;
    }
  }
  throw Error(ErrorCode::INVALID_ARGUMENT,
              "Instruction set " + name_of(set) + " cannot be selected: this build or this CPU lacks it.");
}

std::string name_of(InstructionSet set) {
  switch (set) {
    case InstructionSet::BASELINE:
      return "baseline";
    case InstructionSet::X86_64_V3:
      return "x86-64-v3";
    case InstructionSet::X86_64_V4:
      return "x86-64-v4";
  }
  return "unknown instruction set " + std::to_string(static_cast<int>(set));
}

}  // namespace lockstep
