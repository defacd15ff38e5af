#include "transport/shared_memory/arena.h"

#include <gtest/gtest.h>

#include <vector>

namespace lockstep::shared_memory {
namespace {

TEST(Arena, JoinsWhatIsGivenBack) {
  Arena arena(3 * Arena::PAGE);
  for (const std::size_t last : {0, 1, 2}) {
    std::vector<std::size_t> pages;
    for (int i = 0; i < 3; ++i) pages.push_back(arena.take(1).value());
    EXPECT_FALSE(arena.take(1));
    for (std::size_t page : pages) {
      if (page != pages[last]) arena.give_back(page);
    }
    EXPECT_EQ(arena.give_back(pages[last]), Arena::PAGE);
    const auto all = arena.take(3 * Arena::PAGE);
    ASSERT_TRUE(all) << "the last given back was page " << last;
    arena.give_back(*all);
  }
}

}  // namespace
}  // namespace lockstep::shared_memory
