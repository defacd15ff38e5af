#include "learning/trees/quantise.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "learning/k_means/points.h"

namespace lockstep::learning {

FixedPoint quantise(const Group& group, std::span<const double> gradients, std::span<const double> hessians,
                    std::span<const std::uint32_t> rows, std::int64_t all_rows, std::span<BinSums> sums) {
  constexpr int GRADIENT_BITS = 30;
  double largest[2] = {0, 0};
  for (const std::uint32_t row : rows) {
    largest[0] = std::max(largest[0], std::abs(gradients[row]));
    largest[1] = std::max(largest[1], hessians[row]);
  }
  group.max(largest);
  int count_bits = 1;
  while (std::int64_t{1} << count_bits <= all_rows) ++count_bits;
  FixedPoint fixed;
  fixed.count_shift = 62 - count_bits;
  const double hessian_reach = std::ldexp(1.0, std::min(GRADIENT_BITS, fixed.count_shift - count_bits));
  fixed.gradient_unit =
      (largest[0] > 0 ? power_of_two_above(largest[0]) : 1) / std::ldexp(1.0, GRADIENT_BITS);
  fixed.hessian_unit = (largest[1] > 0 ? power_of_two_above(largest[1]) : 1) / hessian_reach;
  const double to_gradient = 1 / fixed.gradient_unit, to_hessian = 1 / fixed.hessian_unit;
  const std::int64_t one_row = std::int64_t{1} << fixed.count_shift;
  for (const std::uint32_t row : rows) {
    // Rounding by addition: exact to the unit below 2^51, and much faster than llrint.
    constexpr double MAGIC = 0x1.8p52;
    constexpr std::int64_t MAGIC_BITS = 0x4338000000000000;
    sums[row] = {std::bit_cast<std::int64_t>(gradients[row] * to_gradient + MAGIC) - MAGIC_BITS,
                 (std::bit_cast<std::int64_t>(hessians[row] * to_hessian + MAGIC) - MAGIC_BITS) + one_row};
  }
  return fixed;
}

}  // namespace lockstep::learning
