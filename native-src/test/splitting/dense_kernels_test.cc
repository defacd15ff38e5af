#include "splitting/factorisation/dense_kernels.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "instruction_sets.h"

namespace lockstep {
namespace {

/// Sizes on both sides of every tile's, and depths beyond a panel's.
TEST(DenseKernelsTest, SubtractsProductsOneAfterTheOtherWhateverTheSizeAndTheInstructionSet) {
  std::mt19937_64 engine(1);
  std::normal_distribution<double> normal;
  const auto random = [&](std::size_t count) {
    std::vector<double> values(count);
    for (double& value : values) value = normal(engine);
    return values;
  };
  for (const std::size_t rows : {1, 3, 7, 8, 9, 15, 17, 40}) {
    for (const std::size_t columns : {1, 2, 3, 5, 8, 13}) {
      for (const std::size_t depth : {1, 8, 31, 300}) {
        SCOPED_TRACE(testing::Message() << rows << " × " << columns << ", depth " << depth);
        const std::vector<double> a = random(rows * depth);
        const std::vector<double> b = random(depth * columns);
        const std::vector<double> c = random(rows * columns);
        std::vector<double> expected = c;
        for (std::size_t j = 0; j < columns; ++j) {
          for (std::size_t k = 0; k < depth; ++k) {
            for (std::size_t i = 0; i < rows; ++i)
              expected[j * rows + i] -= a[k * rows + i] * b[j * depth + k];
          }
        }
        test::for_each_instruction_set([&] {
          std::vector<double> got = c;
          variant_in_use(variants_of_dense_kernels)
              .subtract_product(got.data(), rows, a.data(), rows, b.data(), 1, depth, rows, columns, depth);
          ASSERT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(double)), 0);
        });
      }
    }
  }
}

}  // namespace
}  // namespace lockstep
