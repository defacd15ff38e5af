#include "splitting/refinement/normal_matrix.h"

#include <algorithm>
#include <cmath>

#include "splitting/factorisation/small_block.h"

namespace lockstep::splitting {

template <int D>
NormalMatrix<D>::NormalMatrix(const RangeGraph& graph, const SensorSlices& slices)
    : graph_(graph), slices_(slices), offsets_{0} {
  for (std::int32_t sensor = slices.begin(); sensor < slices.end(); ++sensor) {
    for (const RangeEnd& end : graph.ends_of(sensor)) {
      if (graph.is_sensor(end.point)) links_.push_back({end.point, 0, 0, {}});
    }
    offsets_.push_back(links_.size());
  }
  const auto own = static_cast<std::size_t>(slices.size());
  anchor_blocks_.resize(own * BLOCK);
  safe_blocks_.resize(own * BLOCK);
  damping_.resize(own);
  inverses_.resize(own * BLOCK);
}

template <int D>
void NormalMatrix<D>::update(std::span<const double> points, const Loss& loss, Curvature curvature,
                             std::span<double> gradient) {
  std::fill(anchor_blocks_.begin(), anchor_blocks_.end(), 0.0);
  std::fill(safe_blocks_.begin(), safe_blocks_.end(), 0.0);
  std::fill(gradient.begin(), gradient.end(), 0.0);
  auto link = links_.begin();
  for (std::size_t own = 0; own < damping_.size(); ++own) {
    const std::int32_t sensor = slices_.begin() + static_cast<std::int32_t>(own);
    for (const RangeEnd& end : graph_.ends_of(sensor)) {
      const Linearised<D> range = linearise<D>(end, sensor, points.data());
      const Bend bend = bend_of(end, range.distance, range.residual, loss);
      for (int k = 0; k < D; ++k) gradient[own * D + k] -= bend.force * range.direction[k];
      const double safe = std::abs(bend.across);
      add_link_block<D>(bend.weight - safe, safe, range.direction, &safe_blocks_[own * BLOCK]);
      const double across = curvature == Curvature::SAFE ? safe : bend.across;
      const double along = bend.weight - across;
      if (graph_.is_sensor(end.point)) {
        *link++ = {end.point, along, across, range.direction};
      } else {
        add_link_block<D>(along, across, range.direction, &anchor_blocks_[own * BLOCK]);
      }
    }
  }
}

template <int D>
void NormalMatrix<D>::damp(double lambda) {
  // One range in one direction leaves a singular block; the preconditioner needs an inverse all the same.
  constexpr double LEAST = 1e-9;
  for (std::size_t own = 0; own < damping_.size(); ++own) {
    std::array<double, BLOCK> block;
    std::copy_n(&safe_blocks_[own * BLOCK], BLOCK, block.begin());
    double trace = 0;
    for (int k = 0; k < D; ++k) trace += block[k * D + k];
    damping_[own] = lambda * trace;
    for (int k = 0; k < D; ++k) block[k * D + k] += std::max(lambda, LEAST) * trace;
    invert<D>(block.data(), &inverses_[own * BLOCK]);
  }
}

template <int D>
void NormalMatrix<D>::multiply(std::span<const double> all, std::span<double> own) const {
  for (std::size_t row = 0; row < damping_.size(); ++row) {
    const double* mine = &all[(static_cast<std::size_t>(slices_.begin()) + row) * D];
    std::array<double, D> sum;
    multiply_block<D>(&anchor_blocks_[row * BLOCK], mine, sum.data());
    for (int k = 0; k < D; ++k) sum[k] += damping_[row] * mine[k];
    for (std::size_t at = offsets_[row]; at < offsets_[row + 1]; ++at) {
      const Link& link = links_[at];
      const double* theirs = &all[static_cast<std::size_t>(link.other) * D];
      double component = 0;
      for (int k = 0; k < D; ++k) component += link.direction[k] * (mine[k] - theirs[k]);
      component *= link.along;
      for (int k = 0; k < D; ++k) {
        sum[k] += component * link.direction[k] + link.across * (mine[k] - theirs[k]);
      }
    }
    std::copy(sum.begin(), sum.end(), &own[row * D]);
  }
}

template <int D>
void NormalMatrix<D>::precondition(std::span<const double> residual, std::span<double> out) const {
  for (std::size_t row = 0; row < damping_.size(); ++row) {
    multiply_block<D>(&inverses_[row * BLOCK], &residual[row * D], &out[row * D]);
  }
}

template class NormalMatrix<2>;
template class NormalMatrix<3>;

}  // namespace lockstep::splitting
