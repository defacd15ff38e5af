#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lockstep {

/// The instruction sets that the *_kernels.cc files are compiled for (x86-64 psABI micro-architecture levels;
/// other processors have BASELINE alone). Ordered from slowest to fastest.
enum class InstructionSet { BASELINE = 0, X86_64_V3 = 1, X86_64_V4 = 2 };

/// What this build holds and this CPU runs, slowest first; never empty.
const std::vector<InstructionSet>& available_instruction_sets();

/// The one in use: the fastest available, unless select_instruction_set() said otherwise. Thread-safe.
InstructionSet instruction_set();

/// Makes the calls that follow, on every thread, use this variant; for tests and benchmarks.
/// INVALID_ARGUMENT for one that is not available here.
void select_instruction_set(InstructionSet set);

/// Names for messages: "baseline", "x86-64-v3".
std::string name_of(InstructionSet set);

/// The kernel table of the instruction set in use, out of one that LOCKSTEP_KERNEL_TABLE declared.
template <typename Table, std::size_t N>
const Table& variant_in_use(const Table* const (&variants)[N]) {
  return *variants[static_cast<std::size_t>(instruction_set())];
}

}  // namespace lockstep

/// Declares one kernel table per instruction set that the build compiles (see cmake/LockstepKernels.cmake)
/// and `variants_of_<table>`, which holds them in the order of InstructionSet. Stands in namespace lockstep.
#if defined(__x86_64__)
#define LOCKSTEP_KERNEL_TABLE(Type, table) \
  namespace baseline {                     \
  extern const Type table;                 \
  }                                        \
  namespace v3 {                           \
  extern const Type table;                 \
  }                                        \
  namespace v4 {                           \
  extern const Type table;                 \
  }                                        \
  constexpr const Type* variants_of_##table[] = {&baseline::table, &v3::table, &v4::table};
#else
#define LOCKSTEP_KERNEL_TABLE(Type, table) \
  namespace baseline {                     \
  extern const Type table;                 \
  }                                        \
  constexpr const Type* variants_of_##table[] = {&baseline::table};
#endif
