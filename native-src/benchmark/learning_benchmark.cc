// The kernels of k-means and trees against what this core can do: `taskset -c 0
// build/release/bin/learning_benchmark`.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "core/cpu.h"
#include "learning/k_means/distance_kernels.h"
#include "learning/trees/histogram_kernels.h"

namespace lockstep {
namespace {

constexpr int REPEATS = 9;

/// Least seconds of several runs: a shared machine only adds to them.
template <typename Body>
double least_seconds(const Body& body) {
  double least = 1e30;
  for (int i = 0; i < REPEATS; ++i) {
    const auto start = std::chrono::steady_clock::now();
    body();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

/// Rows that lie in the second-level cache: 1 panel of 16 centres each.
void measure_scores(std::size_t dimension) {
  constexpr std::size_t ROWS = 96;
  std::mt19937 random(1);
  std::vector<float> values(ROWS * dimension), panel(dimension * PANEL), half_norms(PANEL, 1),
      out(ROWS * PANEL);
  for (float& value : values) value = static_cast<float>(random() % 100) / 100;
  for (float& value : panel) value = static_cast<float>(random() % 100) / 100;
  std::vector<const float*> rows;
  for (std::size_t i = 0; i < ROWS; ++i) rows.push_back(values.data() + i * dimension);
  const auto& kernels = variant_in_use(variants_of_distance_kernels);
  const int times = static_cast<int>(20000000 / (ROWS * dimension) + 1);
  const double seconds = least_seconds([&] {
    for (int i = 0; i < times; ++i) {
      kernels.scores(rows.data(), ROWS, panel.data(), half_norms.data(), dimension, out.data(), PANEL);
    }
  });
  const double operations = 2.0 * ROWS * PANEL * static_cast<double>(dimension) * times;
  std::printf("scores, %4zu dimensions: %7.1f GFLOP/s\n", dimension, operations / seconds * 1e-9);
}

void measure_histogram(std::size_t features, std::size_t rows) {
  std::mt19937 random(2);
  std::vector<std::uint8_t> bins(rows * features);
  for (std::uint8_t& bin : bins) bin = static_cast<std::uint8_t>(random() % 255);
  std::vector<std::uint32_t> offsets, order(rows);
  for (std::size_t f = 0; f < features; ++f) offsets.push_back(static_cast<std::uint32_t>(256 * f));
  std::iota(order.begin(), order.end(), 0u);
  std::vector<BinSums> sums(rows, BinSums{3, 5}), histogram(256 * features, BinSums{0, 0});
  const auto& kernels = variant_in_use(variants_of_histogram_kernels);
  auto count = [&] {
    kernels.add_rows(histogram.data(), offsets.data(), bins.data(), features, 0, features, order.data(), rows,
                     sums.data());
  };
  const double in_order = least_seconds(count);
  std::shuffle(order.begin(), order.end(), random);
  const double scattered = least_seconds(count);
  std::vector<std::uint8_t> copy(bins.size());
  const double copied = least_seconds([&] { std::memcpy(copy.data(), bins.data(), bins.size()); });
  const double updates = static_cast<double>(rows * features);
  std::printf(
      "histogram, %zu × %zu: %.2f ns an update in order, %.2f scattered; copying the bins %.2f ns each\n",
      rows, features, in_order / updates * 1e9, scattered / updates * 1e9, copied / updates * 1e9);
}

}  // namespace
}  // namespace lockstep

int main() {
  using namespace lockstep;
  for (const InstructionSet set : available_instruction_sets()) {
    select_instruction_set(set);
    std::printf("%s\n", name_of(set).c_str());
    for (const std::size_t dimension : {16, 64, 784}) measure_scores(dimension);
    measure_histogram(50, 500000);
    measure_histogram(784, 30000);
  }
}
