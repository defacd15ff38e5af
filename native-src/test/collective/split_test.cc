// Groups made from groups.

#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <vector>

#include "call.h"
#include "ranks.h"

namespace lockstep::test {
namespace {

/// The world ranks of the group's members, in the order of their ranks in it.
std::vector<std::int32_t> members_of(Communicator& group, int world_rank) {
  std::vector<std::int32_t> members(static_cast<std::size_t>(group.size()));
  run(group, {.operation = Operation::ALL_GATHER,
              .type = DataType::I32,
              .input = &world_rank,
              .output = members.data(),
              .count = 1});
  return members;
}

using Members = std::vector<std::int32_t>;

TEST(Split, RanksOfOneColourFormAGroup) {
  run_with_communicators(5, {}, PATIENCE, [](Communicator& world) {
    auto child = world.split(world.rank() % 2, 0);
    EXPECT_EQ(members_of(*child, world.rank()), world.rank() % 2 == 0 ? (Members{0, 2, 4}) : (Members{1, 3}));
    EXPECT_EQ(child->rank(), world.rank() / 2);
  });
}

TEST(Split, KeysOrderTheRanksAndEqualKeysKeepTheirs) {
  run_with_communicators(5, {}, PATIENCE, [](Communicator& world) {
    const int keys[] = {3, -1, 3, 0, -1};
    auto child = world.split(7, keys[world.rank()]);
    EXPECT_EQ(members_of(*child, world.rank()), (Members{1, 4, 3, 0, 2}));
  });
}

TEST(Split, ANegativeColourTakesNoPart) {
  run_with_communicators(4, {}, PATIENCE, [](Communicator& world) {
    auto child = world.split(world.rank() == 1 ? -1 : 0, 0);
    if (world.rank() == 1) {
      EXPECT_EQ(child, nullptr);
    } else {
      EXPECT_EQ(members_of(*child, world.rank()), (Members{0, 2, 3}));
    }
    EXPECT_EQ(members_of(world, world.rank()), (Members{0, 1, 2, 3}));
  });
}

TEST(Split, GroupsOfOneWork) {
  run_with_communicators(3, {}, PATIENCE, [](Communicator& world) {
    auto child = world.split(world.rank(), 0);
    EXPECT_EQ(child->size(), 1);
    EXPECT_EQ(members_of(*child, world.rank()), (Members{world.rank()}));
    auto grandchild = child->split(0, 0);
    EXPECT_EQ(grandchild->size(), 1);
    EXPECT_EQ(child->split(-1, 0), nullptr);
  });
}

TEST(Split, AGroupCanBeSplitAgain) {
  run_with_communicators(8, {}, PATIENCE, [](Communicator& world) {
    auto half = world.split(world.rank() / 4, 0);
    auto quarter = half->split(half->rank() % 2, -half->rank());
    const int base = world.rank() / 4 * 4 + world.rank() % 2;
    EXPECT_EQ(members_of(*quarter, world.rank()), (Members{base + 2, base}));
    auto again = world.split(0, -world.rank());
    EXPECT_EQ(members_of(*again, world.rank()), (Members{7, 6, 5, 4, 3, 2, 1, 0}));
  });
}

TEST(Split, AClosedParentDoesNotDisturbItsChildren) {
  run_with_communicators(4, {}, PATIENCE, [](Communicator& world) {
    auto child = world.split(0, 0);
    world.close();
    EXPECT_EQ(members_of(*child, world.rank()), (Members{0, 1, 2, 3}));
  });
}

TEST(Split, AClosedChildDoesNotDisturbItsParent) {
  run_with_communicators(4, {}, PATIENCE, [](Communicator& world) {
    world.split(world.rank() % 2, 0)->close();
    EXPECT_EQ(members_of(world, world.rank()), (Members{0, 1, 2, 3}));
  });
}

TEST(Split, GroupsWorkSideBySide) {
  run_with_communicators(4, {}, PATIENCE, [](Communicator& world) {
    auto child = world.split(world.rank() % 2, 0);
    for (int i = 0; i < 50; ++i) {
      std::int32_t in_child = 1;
      std::int32_t in_world = 1;
      const Call call{.operation = Operation::ALL_REDUCE,
                      .type = DataType::I32,
                      .input = &in_child,
                      .output = &in_child,
                      .count = 1};
      auto work = child->start(call.raw());
      run(world, {.operation = Operation::ALL_REDUCE,
                  .type = DataType::I32,
                  .input = &in_world,
                  .output = &in_world,
                  .count = 1});
      work->wait();
      EXPECT_EQ(in_child, 2);
      EXPECT_EQ(in_world, 4);
    }
  });
}

TEST(Split, ARankThatDoesNotSplitTimesOut) {
  std::latch failed(2);
  run_with_communicators(3, {}, 0.2, [&](Communicator& world) {
    if (world.rank() == 0) return failed.wait();
    EXPECT_EQ(error_of([&] { world.split(0, 0); }).code(), ErrorCode::TIMEOUT);
    failed.count_down();
  });
}

}  // namespace
}  // namespace lockstep::test
