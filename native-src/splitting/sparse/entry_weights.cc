#include "splitting/sparse/entry_weights.h"

#include <algorithm>
#include <cmath>

namespace lockstep::splitting {
namespace {

constexpr double BALANCED = 1e-13;
constexpr int MOST_ROUNDS = 10000;

// The symmetric form of Sinkhorn & Knopp (1967): both scalings at once, damped by the square root so that
// they stay equal (Knight, Ruiz & Uçar 2014).
void balance(std::vector<double>& weights, std::size_t size) {
  std::vector<double> scale(size, 1.0), sums(size);
  for (int round = 0; round < MOST_ROUNDS; ++round) {
    double farthest = 0;
    for (std::size_t i = 0; i < size; ++i) {
      sums[i] = 0;
      for (std::size_t j = 0; j < size; ++j) sums[i] += scale[i] * weights[i * size + j] * scale[j];
      farthest = std::max(farthest, std::fabs(sums[i] - 1));
    }
    if (farthest < BALANCED) break;
    for (std::size_t i = 0; i < size; ++i) scale[i] /= std::sqrt(sums[i]);
  }
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) weights[i * size + j] *= scale[i] * scale[j];
  }
}

}  // namespace

void weights_of_entry(const Holders& all, std::span<const std::int32_t> holders, Design design,
                      std::vector<double>& weights) {
  const std::size_t size = holders.size();
  weights.assign(size * size, 0.0);
  std::vector<double> degrees(size, 0.0);
  for (std::size_t i = 0; i < size; ++i) {
    weights[i * size + i] = 1;
    for (std::size_t j = i + 1; j < size; ++j) {
      if (!all.are_neighbors(holders[i], holders[j])) continue;
      weights[i * size + j] = weights[j * size + i] = 1;
      degrees[i] += 1;
      degrees[j] += 1;
    }
  }
  if (design == Design::SINKHORN_KNOPP) balance(weights, size);
  for (std::size_t i = 0; i < size; ++i) {
    double others = 0;
    for (std::size_t j = 0; j < size; ++j) {
      if (j == i) continue;
      double& weight = weights[i * size + j];
      if (design == Design::METROPOLIS) weight /= 1 + std::max(degrees[i], degrees[j]);
      weight *= 2;
      others += weight;
    }
    weights[i * size + i] = 2 - others;
  }
}

}  // namespace lockstep::splitting
