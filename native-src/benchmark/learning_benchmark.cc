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

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "core/cpu.h"
#include "learning/k_means/distance_kernels.h"
#include "learning/trees/histogram_kernels.h"

namespace lockstep {
namespace {

constexpr int REPEATS = 25;

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

// The f32 peak: multiplications and additions whose results are not waited for, as wide as the kernels of an
// instruction set use them. Ten chains cover their latency.
constexpr int CHAINS = 10, LINKS = 100000;
using Peak = double (*)();  // operations done

#if defined(__x86_64__)
#define LOCKSTEP_PEAK(NAME, TARGET, VECTOR, SET, FMA, WIDTH)                                     \
  __attribute__((target(TARGET))) double NAME() {                                                \
    const VECTOR x = SET(0.999f), y = SET(0.001f);                                               \
    VECTOR a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x;                 \
    for (int link = 0; link < LINKS; ++link) {                                                   \
      a = FMA(a, x, y), b = FMA(b, x, y), c = FMA(c, x, y), d = FMA(d, x, y), e = FMA(e, x, y);  \
      f = FMA(f, x, y), g = FMA(g, x, y), h = FMA(h, x, y), i = FMA(i, x, y), j = FMA(j, x, y);  \
      asm volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e)); /* none may be left out */ \
      asm volatile("" : "+x"(f), "+x"(g), "+x"(h), "+x"(i), "+x"(j));                            \
    }                                                                                            \
    return 2.0 * WIDTH * CHAINS * LINKS;                                                         \
  }
LOCKSTEP_PEAK(peak_of_v4, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, 16)
LOCKSTEP_PEAK(peak_of_v3, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, 8)
#define LOCKSTEP_MULTIPLY_ADD(A, B, C) _mm_add_ps(_mm_mul_ps(A, B), C)
LOCKSTEP_PEAK(peak_of_baseline, "sse2", __m128, _mm_set1_ps, LOCKSTEP_MULTIPLY_ADD, 4)
#endif

/// GFLOP/s, 0 where it is not known.
double peak_of(InstructionSet set) {
#if defined(__x86_64__)
  const Peak peak = set == InstructionSet::X86_64_V4   ? peak_of_v4
                    : set == InstructionSet::X86_64_V3 ? peak_of_v3
                                                       : peak_of_baseline;
  double operations = 0;
  const double seconds = least_seconds([&] { operations = peak(); });
  return operations / seconds * 1e-9;
#else
  (void)set;
  return 0;
#endif
}

/// Bytes a second that memcpy reads and writes, far beyond the caches.
double copy_bandwidth() {
  std::vector<char> from(256 << 20, 1), to(from.size());
  return 2 * static_cast<double>(from.size()) /
         least_seconds([&] { std::memcpy(to.data(), from.data(), from.size()); });
}

/// Rows that lie in the second-level cache: 1 panel of 16 centres each.
void measure_scores(std::size_t dimension, double peak) {
  constexpr std::size_t ROWS = 96;
  std::mt19937 random(1);
  std::vector<float> values(ROWS * dimension), panel(dimension * PANEL), half_norms(PANEL, 1),
      out(ROWS * PANEL);
  for (float& value : values) value = static_cast<float>(random() % 100) / 100;
  for (float& value : panel) value = static_cast<float>(random() % 100) / 100;
  std::vector<const float*> rows;
  for (std::size_t i = 0; i < ROWS; ++i) rows.push_back(values.data() + i * dimension);
  const auto& kernels = variant_in_use(variants_of_distance_kernels);
  const int times = static_cast<int>(4000000 / (ROWS * dimension) + 1);
  const double seconds = least_seconds([&] {
    for (int i = 0; i < times; ++i) {
      kernels.scores(rows.data(), ROWS, panel.data(), half_norms.data(), dimension, out.data(), PANEL);
    }
  });
  const double operations = 2.0 * ROWS * PANEL * static_cast<double>(dimension) * times;
  std::printf("scores, %4zu dimensions: %7.1f GFLOP/s, %.2f of the peak\n", dimension,
              operations / seconds * 1e-9, operations / seconds * 1e-9 / peak);
}

void measure_histogram(std::size_t features, std::size_t rows, double bandwidth) {
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
  const auto updates = static_cast<double>(rows * features);
  const double read = updates + static_cast<double>(rows * (sizeof(BinSums) + sizeof(std::uint32_t)));
  std::printf(
      "histogram, %zu × %zu: %.2f ns an update in order, %.2f scattered; reads %.2f GB/s in order, %.2f of "
      "copying\n",
      rows, features, in_order / updates * 1e9, scattered / updates * 1e9, read / in_order * 1e-9,
      read / in_order / bandwidth);
}

void measure_binning(double bandwidth) {
  constexpr std::size_t VALUES = 1 << 20;
  std::mt19937 random(6);
  std::vector<float> values(VALUES), edges(256);
  for (float& value : values) value = static_cast<float>(random() % 100000);
  for (std::size_t i = 0; i < edges.size(); ++i) edges[i] = static_cast<float>(390 * i);
  edges.back() = __builtin_inff();
  std::vector<std::uint8_t> bins(VALUES);
  const double seconds = least_seconds([&] {
    variant_in_use(variants_of_histogram_kernels)
        .find_bins(values.data(), VALUES, edges.data(), 255, bins.data());
  });
  std::printf("bins of 256 edges: %.2f ns a value, %.2f of copying\n", seconds / VALUES * 1e9,
              5.0 * VALUES / seconds / bandwidth);
}

}  // namespace
}  // namespace lockstep

int main() {
  using namespace lockstep;
  const double bandwidth = copy_bandwidth();
  std::printf("copying: %.1f GB/s, read and written\n", bandwidth * 1e-9);
  for (const InstructionSet set : available_instruction_sets()) {
    select_instruction_set(set);
    const double peak = peak_of(set);
    std::printf("%s, f32 peak %.1f GFLOP/s\n", name_of(set).c_str(), peak);
    for (const std::size_t dimension : {16, 64, 784}) measure_scores(dimension, peak);
    measure_histogram(50, 500000, bandwidth);
    measure_histogram(784, 30000, bandwidth);
    measure_binning(bandwidth);
  }
}
