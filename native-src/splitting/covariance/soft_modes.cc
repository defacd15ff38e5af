#include "splitting/covariance/soft_modes.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "splitting/covariance/gaussian.h"
#include "splitting/factorisation/small_block.h"
#include "splitting/factorisation/small_eigen.h"

namespace lockstep::splitting {
namespace {

constexpr std::size_t SPARE = 4;  // Vectors beside those asked for, which make the last of these converge.
constexpr int ROUNDS = 12;

using Basis = std::vector<std::vector<double>>;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void orthonormalise(Basis& basis) {
  for (std::size_t k = 0; k < basis.size(); ++k) {
    // Squares of what a motion without any range comes to, about 1e300, overflow.
    double largest = 0;
    for (const double value : basis[k]) largest = std::max(largest, std::abs(value));
    for (double& value : basis[k]) value /= largest > 0 ? largest : 1;
    for (int twice = 0; twice < 2; ++twice) {  // Once leaves what rounding leaves of near-parallel vectors.
      for (std::size_t before = 0; before < k; ++before) {
        const double along = dot(basis[k], basis[before]);
        for (std::size_t at = 0; at < basis[k].size(); ++at) basis[k][at] -= along * basis[before][at];
      }
    }
    const double length = std::sqrt(dot(basis[k], basis[k]));
    for (double& value : basis[k]) value /= length > 0 ? length : 1;
  }
}

template <int D>
void factor_in(const RangeGraph& graph, const Loss& loss, std::span<const double> points,
               BlockCholesky& cholesky) {
  constexpr std::size_t BLOCK = std::size_t{D} * D;
  std::vector<double> diagonal(static_cast<std::size_t>(graph.sensors()) * BLOCK, 0.0);
  std::vector<double> links(cholesky.links() * BLOCK, 0.0);
  for (std::int32_t sensor = 0; sensor < graph.sensors(); ++sensor) {
    double* mine = &diagonal[static_cast<std::size_t>(sensor) * BLOCK];
    double* link = links.data() + cholesky.first_link(sensor) * BLOCK;
    for (const RangeEnd& end : graph.ends_of(sensor)) {
      const Linearised<D> range = linearise<D>(end, sensor, points.data());
      const double weight = loss.weight(range.residual) * end.precision * end.precision;
      add_link_block<D>(weight, 0, range.direction, mine);
      add_link_block<D>(-weight, 0, range.direction, link);
      link += BLOCK;
    }
  }
  cholesky.factor(D, diagonal, links);
}

}  // namespace

void factor_normal_matrix(const RangeGraph& graph, const Loss& loss, std::span<const double> points,
                          BlockCholesky& cholesky) {
  if (graph.dimension() == 2) {
    factor_in<2>(graph, loss, points, cholesky);
  } else {
    factor_in<3>(graph, loss, points, cholesky);
  }
}

std::vector<SoftMode> soft_modes(const RangeGraph& graph, const BlockCholesky& cholesky, std::size_t count) {
  const std::size_t length =
      static_cast<std::size_t>(graph.sensors()) * static_cast<std::size_t>(graph.dimension());
  const std::size_t width = std::min(count + SPARE, length);
  Gaussian random(1);
  Basis basis(width, std::vector<double>(length));
  for (std::vector<double>& vector : basis) {
    for (double& value : vector) value = random();
  }
  orthonormalise(basis);
  Dense projected(width, width);
  for (int round = 0; round < ROUNDS; ++round) {
    Basis image = basis;
    for (std::vector<double>& vector : image) cholesky.solve(vector);
    for (std::size_t i = 0; i < width; ++i) {
      for (std::size_t j = 0; j < width; ++j)
        projected(i, j) = 0.5 * (dot(basis[i], image[j]) + dot(basis[j], image[i]));
    }
    if (round + 1 == ROUNDS) break;
    basis = std::move(image);
    orthonormalise(basis);
  }
  const Eigen eigen = symmetric_eigen(projected);
  std::vector<SoftMode> modes;
  for (std::size_t k = 0; k < std::min(count, width); ++k) {
    SoftMode mode{std::sqrt(std::max(eigen.values[k], 0.0)), std::vector<double>(length, 0.0)};
    for (std::size_t i = 0; i < width; ++i) {
      for (std::size_t at = 0; at < length; ++at) mode.direction[at] += eigen.vectors(i, k) * basis[i][at];
    }
    modes.push_back(std::move(mode));
  }
  return modes;
}

}  // namespace lockstep::splitting
