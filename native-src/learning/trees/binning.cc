#include "learning/trees/binning.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "learning/trees/histogram_kernels.h"
#include "lockstep/error.h"

namespace lockstep::learning {
namespace {

/// Floats as integers of the same order.
std::uint32_t key_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value == 0 ? 0.0f : value);
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

float value_of(std::uint32_t key) {
  return std::bit_cast<float>((key & 0x80000000u) != 0 ? key & 0x7fffffffu : ~key);
}

void radix_sort(std::vector<std::uint32_t>& keys, std::vector<std::uint32_t>& spare) {
  constexpr int BITS = 11;
  spare.resize(keys.size());
  for (int shift = 0; shift < 32; shift += BITS) {
    std::array<std::uint32_t, (1 << BITS) + 1> starts{};
    constexpr std::uint32_t MASK = (1u << BITS) - 1;
    for (const std::uint32_t key : keys) ++starts[(key >> shift & MASK) + 1];
    for (std::size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
    for (const std::uint32_t key : keys) spare[starts[key >> shift & MASK]++] = key;
    keys.swap(spare);
  }
}

/// So many neighbouring features are read together: their values of a row lie in eight cache lines in a row.
constexpr std::size_t NEIGHBOURS = 64;

/// Rows that are read at once, so that the keys of a feature are written a cache line at a time.
constexpr std::size_t ROWS_AT_ONCE = 16;

/// The sorted keys of what is not missing in this rank's rows, of features [begin, end).
std::vector<std::vector<std::uint32_t>> sorted_keys(std::span<const double> values, std::size_t features,
                                                    std::size_t begin, std::size_t end,
                                                    std::vector<std::uint32_t>& spare) {
  const std::size_t rows = values.size() / features;
  std::vector<std::vector<std::uint32_t>> keys(end - begin, std::vector<std::uint32_t>(rows + 1));
  std::vector<std::size_t> counts(end - begin, 0);
  for (std::size_t first = 0; first < rows; first += ROWS_AT_ONCE) {
    const std::size_t last = std::min(rows, first + ROWS_AT_ONCE);
    for (std::size_t f = begin; f < end; ++f) {
      std::uint32_t* out = keys[f - begin].data();
      std::size_t count = counts[f - begin];
      for (std::size_t row = first; row < last; ++row) {
        const double value = values[row * features + f];
        out[count] = key_of(static_cast<float>(value));
        count += value == value;  // a missing value is overwritten by the next
      }
      counts[f - begin] = count;
    }
  }
  for (std::size_t f = 0; f < keys.size(); ++f) {
    keys[f].resize(counts[f]);
    radix_sort(keys[f], spare);
  }
  return keys;
}

float halfway(std::uint32_t low, std::uint32_t high) {
  const double a = static_cast<double>(value_of(low)), b = static_cast<double>(value_of(high));
  if (!std::isfinite(a) || !std::isfinite(b)) return value_of(low);
  const auto middle = static_cast<float>(a + (b - a) / 2);
  return middle < value_of(high) ? middle : value_of(low);
}

struct Column {
  std::size_t feature;
  std::vector<std::uint32_t> keys;
};

/// For each column the keys at `wanted` evenly spaced ranks.
void find_quantiles(const Group& group, const std::vector<Column>& columns, std::int32_t max_bins,
                    std::vector<FeatureBins>& bins) {
  if (columns.empty()) return;
  const auto wanted = static_cast<std::size_t>(max_bins - 1);
  std::vector<std::int64_t> sizes;
  for (const Column& column : columns) sizes.push_back(static_cast<std::int64_t>(column.keys.size()));
  group.sum(sizes);
  std::vector<std::uint32_t> prefixes(columns.size() * wanted, 0);
  std::vector<std::int64_t> counts(prefixes.size());
  // Among this rank's keys, where those begin and end that have the prefix.
  std::vector<std::int64_t> begins(prefixes.size(), 0), ends(prefixes.size());
  for (std::size_t i = 0; i < ends.size(); ++i)
    ends[i] = static_cast<std::int64_t>(columns[i / wanted].keys.size());
  std::vector<std::int64_t> own(prefixes.size());
  for (int bit = 31; bit >= 0; --bit) {
    const std::uint32_t low = (1u << bit) - 1;
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (i % wanted > 0 && prefixes[i] == prefixes[i - 1]) {
        own[i] = own[i - 1];
        continue;
      }
      const auto keys = columns[i / wanted].keys.begin();
      own[i] = std::upper_bound(keys + begins[i], keys + ends[i], prefixes[i] | low) - keys;
    }
    counts = own;
    group.sum(counts);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const auto order = static_cast<std::int64_t>(i % wanted + 1);
      const std::int64_t rank = (order * sizes[i / wanted] + max_bins - 1) / max_bins;
      if (counts[i] < rank) prefixes[i] |= 1u << bit;
      (counts[i] < rank ? begins : ends)[i] = own[i];
    }
  }
  for (std::size_t c = 0; c < columns.size(); ++c) {
    auto& edges = bins[columns[c].feature].edges;
    for (std::size_t i = 0; i < wanted; ++i) {
      const float edge = value_of(prefixes[c * wanted + i]);
      if (edges.empty() || edges.back() < edge) edges.push_back(edge);
    }
  }
}

void bin_categories(const Group& group, std::span<const double> values, std::size_t features,
                    std::size_t feature, std::int32_t max_bins, FeatureBins& bins) {
  constexpr double MOST = 1 << 24;
  double largest = -1, refused = 0;
  for (std::size_t at = feature; at < values.size(); at += features) {
    const double code = values[at];
    if (std::isnan(code)) continue;
    if (!(code >= 0 && code < MOST && code == std::floor(code))) refused = 1;
    largest = std::max(largest, code);
  }
  if (group.max(refused) > 0) {
    throw Error(ErrorCode::INVALID_ARGUMENT, "The categories of feature " + std::to_string(feature) +
                                                 " must be whole numbers from 0 to 16777215.");
  }
  std::vector<std::int64_t> counts(static_cast<std::size_t>(group.max(largest) + 1), 0);
  for (std::size_t at = feature; at < values.size(); at += features) {
    if (!std::isnan(values[at])) ++counts[static_cast<std::size_t>(values[at])];
  }
  if (!counts.empty()) group.sum(counts);
  for (std::size_t code = 0; code < counts.size(); ++code) {
    if (counts[code] > 0) bins.codes.push_back(static_cast<std::int32_t>(code));
  }
  if (bins.codes.size() > static_cast<std::size_t>(max_bins)) {
    auto is_more_frequent = [&](std::int32_t a, std::int32_t b) {
      const auto count_a = counts[static_cast<std::size_t>(a)], count_b = counts[static_cast<std::size_t>(b)];
      return count_a != count_b ? count_a > count_b : a < b;
    };
    std::ranges::sort(bins.codes, is_more_frequent);
    bins.codes.resize(static_cast<std::size_t>(max_bins));
    std::ranges::sort(bins.codes);
  }
}

}  // namespace

std::uint8_t FeatureBins::bin(double value) const {
  if (std::isnan(value)) return missing();
  if (is_categorical) {
    const auto found = std::ranges::lower_bound(codes, value, {},
                                                [](std::int32_t code) { return static_cast<double>(code); });
    return found != codes.end() && *found == value ? static_cast<std::uint8_t>(found - codes.begin())
                                                   : missing();
  }
  const auto narrow = static_cast<float>(value);
  return static_cast<std::uint8_t>(std::ranges::lower_bound(edges, narrow) - edges.begin());
}

std::vector<std::uint8_t> bins_of(std::span<const double> values, const std::vector<FeatureBins>& mappers) {
  constexpr std::size_t ROWS = 512, EDGES = MAX_BINS + 1;
  const std::size_t features = mappers.size(), rows = values.size() / features;
  const auto find_bins = variant_in_use(variants_of_histogram_kernels).find_bins;
  std::vector<std::uint8_t> bins(values.size());
  float column[ROWS];
  std::uint8_t found[ROWS];
  std::vector<float> edges(NEIGHBOURS * EDGES);
  for (std::size_t first = 0; first < features; first += NEIGHBOURS) {
    const std::size_t last = std::min(features, first + NEIGHBOURS);
    std::ranges::fill(edges, std::numeric_limits<float>::infinity());
    for (std::size_t f = first; f < last; ++f)
      std::ranges::copy(mappers[f].edges, edges.begin() + static_cast<std::ptrdiff_t>((f - first) * EDGES));
    for (std::size_t row = 0; row < rows; row += ROWS) {
      const std::size_t count = std::min(ROWS, rows - row);
      for (std::size_t f = first; f < last; ++f) {
        const double* from = values.data() + row * features + f;
        std::uint8_t* to = bins.data() + row * features + f;
        if (mappers[f].is_categorical) {
          for (std::size_t i = 0; i < count; ++i) to[i * features] = mappers[f].bin(from[i * features]);
          continue;
        }
        for (std::size_t i = 0; i < count; ++i) column[i] = static_cast<float>(from[i * features]);
        find_bins(column, count, edges.data() + (f - first) * EDGES, mappers[f].missing(), found);
        for (std::size_t i = 0; i < count; ++i) to[i * features] = found[i];
      }
    }
  }
  return bins;
}

std::vector<FeatureBins> bin_features(const Group& group, std::span<const double> values,
                                      std::size_t features, const std::vector<char>& categorical,
                                      std::int32_t max_bins) {
  std::vector<FeatureBins> bins(features);
  const auto limit = static_cast<std::size_t>(max_bins);
  std::vector<Column> columns;
  std::vector<std::uint64_t> distinct;  // (feature, key)
  std::vector<std::int64_t> has_many(features, 0);
  std::vector<std::uint32_t> spare;
  std::vector<std::vector<std::uint32_t>> keys;
  for (std::size_t f = 0; f < features; ++f) {
    if (f % NEIGHBOURS == 0)
      keys = sorted_keys(values, features, f, std::min(features, f + NEIGHBOURS), spare);
    if (categorical[f]) {
      bins[f].is_categorical = true;
      bin_categories(group, values, features, f, max_bins, bins[f]);
      continue;
    }
    Column column{f, std::move(keys[f % NEIGHBOURS])};
    const std::size_t before = distinct.size();
    for (auto next = column.keys.begin(); next != column.keys.end() && distinct.size() - before <= limit;) {
      distinct.push_back(std::uint64_t{f} << 32 | *next);
      next = std::upper_bound(next, column.keys.end(), *next);
    }
    if (distinct.size() - before > limit) {
      has_many[f] = 1;
      distinct.resize(before);
    }
    columns.push_back(std::move(column));
  }
  group.sum(has_many);
  distinct = group.gather(distinct);
  std::ranges::sort(distinct);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (std::size_t begin = 0, end = 0; begin < distinct.size(); begin = end) {
    const std::uint64_t feature = distinct[begin] >> 32;
    for (end = begin; end < distinct.size() && distinct[end] >> 32 == feature;) ++end;
    if (has_many[feature] != 0) continue;
    if (end - begin > limit) {
      has_many[feature] = 1;
      continue;
    }
    for (std::size_t i = begin; i + 1 < end; ++i) {
      bins[feature].edges.push_back(
          halfway(static_cast<std::uint32_t>(distinct[i]), static_cast<std::uint32_t>(distinct[i + 1])));
    }
  }
  std::erase_if(columns, [&](const Column& column) { return has_many[column.feature] == 0; });
  find_quantiles(group, columns, max_bins, bins);
  return bins;
}

}  // namespace lockstep::learning
