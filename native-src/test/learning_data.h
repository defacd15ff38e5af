#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <span>
#include <vector>

namespace lockstep::test {

/// Rows of clustered data with some that are equal, in f64.
inline std::vector<double> clustered_rows(std::size_t rows, std::size_t dimension, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> centres(7 * dimension), values(rows * dimension);
  for (double& coordinate : centres) coordinate = 100 + 10 * normal(random);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t centre = random() % 7;
    for (std::size_t j = 0; j < dimension; ++j) {
      values[i * dimension + j] = i % 10 == 9 ? values[(i - 1) * dimension + j]
                                              : centres[centre * dimension + j] + 2 * normal(random);
    }
  }
  return values;
}

/// Which rows each rank gets: some order of all, cut anywhere; with three ranks and more, rank 1 gets none.
inline std::vector<std::vector<std::size_t>> placement(std::size_t rows, std::size_t ranks, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<std::size_t> order(rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), random);
  std::vector<std::vector<std::size_t>> placed(ranks);
  for (const std::size_t row : order) {
    std::size_t rank = random() % ranks;
    if (ranks >= 3 && rank == 1) rank = 0;
    placed[rank].push_back(row);
  }
  return placed;
}

inline std::vector<double> rows_of(std::span<const double> values, std::size_t dimension,
                                   const std::vector<std::size_t>& rows) {
  std::vector<double> taken;
  for (const std::size_t row : rows) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row * dimension);
    taken.insert(taken.end(), begin, begin + static_cast<std::ptrdiff_t>(dimension));
  }
  return taken;
}

}  // namespace lockstep::test
