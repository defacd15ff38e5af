#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include "compression/sparse_kernels.h"
#include "gradient/arguments.h"
#include "jni/boundary.h"
#include "lockstep/compression.h"

namespace lockstep {
namespace {

using gradient::Arguments;

float value_at(const char* values, std::size_t index) {
  float value;
  std::memcpy(&value, values + index * sizeof(float), sizeof(value));
  return value;
}

std::uint32_t magnitude(const char* values, std::size_t index) {
  return std::bit_cast<std::uint32_t>(value_at(values, index)) & 0x7fffffffu;
}

/// Magnitudes of elements that lie evenly apart, largest first.
std::vector<std::uint32_t> sample(const char* values, std::size_t count) {
  constexpr std::size_t SAMPLES = 8192;
  const std::size_t stride = (count + SAMPLES - 1) / SAMPLES;
  std::vector<std::uint32_t> magnitudes;
  for (std::size_t i = 0; i < count; i += stride) magnitudes.push_back(magnitude(values, i));
  std::sort(magnitudes.begin(), magnitudes.end(), std::greater<>());
  return magnitudes;
}

std::vector<std::uint32_t> at_least(const char* values, std::size_t count, std::uint32_t threshold) {
  constexpr std::size_t CHUNK = 1 << 14;
  const auto collect = variant_in_use(variants_of_sparse_kernels).collect;
  std::vector<std::uint32_t> indices;
  std::size_t found = 0;
  for (std::size_t begin = 0; begin < count; begin += CHUNK) {
    const std::size_t size = std::min(CHUNK, count - begin);
    // One place more, which the kernel writes to and does not count.
    indices.resize(std::max(indices.size(), found + size + 1));
    found += collect(values + begin * sizeof(float), size, threshold, static_cast<std::uint32_t>(begin),
                     indices.data() + found);
  }
  indices.resize(found);
  return indices;
}

/// Indices of at least `wanted` elements, among them all of the largest: those above a threshold that a
/// sample suggests (Lin et al. 2018, section 4), and a lower one where it was too high.
std::vector<std::uint32_t> candidates(const char* values, std::size_t count, std::size_t wanted) {
  const std::vector<std::uint32_t> sampled = sample(values, count);
  const double share = static_cast<double>(wanted) / static_cast<double>(count);
  auto place = static_cast<std::size_t>(1.25 * share * static_cast<double>(sampled.size())) + 8;
  while (true) {
    const std::uint32_t threshold = place < sampled.size() ? sampled[place] : 0;
    std::vector<std::uint32_t> found = at_least(values, count, threshold);
    if (found.size() >= wanted) return found;
    place *= 2;
  }
}

void copy_largest(const char* from, std::size_t size, std::size_t k, char* chosen, char* taken) {
  const std::vector<std::uint32_t> found = candidates(from, size, k);
  std::vector<std::uint64_t> order(found.size());
  // Larger first, then the earlier one.
  for (std::size_t i = 0; i < found.size(); ++i) {
    order[i] = std::uint64_t{magnitude(from, found[i])} << 32 | (0xffffffffu - found[i]);
  }
  std::vector<std::uint64_t> sorted = order;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(k - 1), sorted.end(),
                   std::greater<>());
  const std::uint64_t last = sorted[k - 1];
  for (std::size_t i = 0, n = 0; i < found.size(); ++i) {
    if (order[i] < last) continue;
    const float value = value_at(from, found[i]);
    std::memcpy(chosen + n * sizeof(std::uint32_t), &found[i], sizeof(std::uint32_t));
    std::memcpy(taken + n * sizeof(float), &value, sizeof(float));
    ++n;
  }
}

const std::uint32_t* checked_indices(const Arguments& check, std::int64_t indices, std::int64_t given,
                                     std::int64_t count) {
  const auto* list = static_cast<const std::uint32_t*>(check.address("indices", indices, given));
  const std::size_t size = check.count(count);
  for (std::size_t i = 0, n = check.count(given); i < n; ++i) {
    if (list[i] >= size) {
      check.refuse("indices", std::to_string(list[i]), "must be below " + std::to_string(count));
    }
  }
  return list;
}

}  // namespace

void accumulate(std::int64_t values, std::int64_t count, std::int64_t momentum, double factor,
                std::int64_t residual, double carry) {
  const Arguments check("accumulate");
  const std::size_t size = check.count(count);
  const void* from = check.address("values", values, count);
  void* kept = momentum == 0 ? nullptr : check.address("momentum", momentum, count);
  void* to = check.address("residual", residual, count);
  const float decay = check.finite_float("factor", factor), kept_share = check.finite_float("carry", carry);
  variant_in_use(variants_of_sparse_kernels).accumulate(from, size, kept, decay, to, kept_share);
}

void select_largest(std::int64_t values, std::int64_t count, std::int64_t wanted, std::int64_t indices,
                    std::int64_t selected) {
  const Arguments check("select_largest");
  const std::size_t size = check.count(count);
  const auto* from = static_cast<const char*>(check.address("values", values, count));
  if (wanted < 0 || wanted > count) {
    check.refuse("wanted", std::to_string(wanted), "must be from 0 to count = " + std::to_string(count));
  }
  if (count > std::numeric_limits<std::uint32_t>::max()) {
    check.refuse("count", std::to_string(count), "must be below 2^32");
  }
  auto* chosen = static_cast<char*>(check.address("indices", indices, wanted));
  auto* taken = static_cast<char*>(check.address("selected", selected, wanted));
  if (wanted == 0) return;
  at_boundary([&] { copy_largest(from, size, static_cast<std::size_t>(wanted), chosen, taken); });
}

void scatter_add(std::int64_t indices, std::int64_t values, std::int64_t given, std::int64_t output,
                 std::int64_t count) {
  const Arguments check("scatter_add");
  const std::uint32_t* places = checked_indices(check, indices, given, count);
  const auto* from = static_cast<const float*>(check.address("values", values, given));
  auto* to = static_cast<float*>(check.address("output", output, count));
  for (std::size_t i = 0, n = static_cast<std::size_t>(given); i < n; ++i) to[places[i]] += from[i];
}

void scatter_zero(std::int64_t indices, std::int64_t given, std::int64_t output, std::int64_t count) {
  const Arguments check("scatter_zero");
  const std::uint32_t* places = checked_indices(check, indices, given, count);
  auto* to = static_cast<float*>(check.address("output", output, count));
  for (std::size_t i = 0, n = static_cast<std::size_t>(given); i < n; ++i) to[places[i]] = 0;
}

}  // namespace lockstep
