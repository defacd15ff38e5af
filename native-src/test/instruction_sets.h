#pragma once

#include <gtest/gtest.h>

#include "core/cpu.h"

namespace lockstep::test {

/// Runs the body once for each instruction set that this CPU has; stops at the first fatal failure.
template <typename Body>
void for_each_instruction_set(Body body) {
  InstructionSet before = instruction_set();
  for (InstructionSet set : available_instruction_sets()) {
    SCOPED_TRACE(name_of(set));
    select_instruction_set(set);
    body();
    if (testing::Test::HasFatalFailure()) break;
  }
  select_instruction_set(before);
}

}  // namespace lockstep::test
