#include "splitting/dense/weights.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "lockstep/error.h"
#include "splitting/dense/factor_scaling.h"
#include "splitting/network/disjoint_sets.h"
#include "splitting/network/network_error.h"

namespace lockstep::splitting {
namespace {

std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }

/// Sums are exact only to rounding after scaling; the diagonal takes what is left.
void set_diagonals(MixingMatrix& matrix, OwnRows rows) {
  for (std::int32_t i = rows.begin; i < rows.end; ++i) {
    std::size_t diagonal = 0;
    double rest = 2;
    for (std::size_t k = matrix.offsets[at(i)]; k < matrix.offsets[at(i) + 1]; ++k) {
      if (matrix.columns[k] == i) {
        diagonal = k;
      } else {
        rest -= matrix.values[k];
      }
    }
    matrix.values[diagonal] = rest;
  }
}

void set_scaled(MixingMatrix& matrix, const std::vector<double>& factors, OwnRows rows) {
  for (std::int32_t i = rows.begin; i < rows.end; ++i) {
    for (std::size_t k = matrix.offsets[at(i)]; k < matrix.offsets[at(i) + 1]; ++k) {
      matrix.values[k] = 2 * factors[at(i)] * factors[at(matrix.columns[k])];
    }
  }
  set_diagonals(matrix, rows);
}

/// A disconnected mixing graph has no consensus: its parts would never hear of each other.
void check_connected(const MixingMatrix& pattern) {
  DisjointSets parts(pattern.size());
  for (std::int32_t i = 0; i < pattern.size(); ++i) {
    for (std::size_t k = pattern.offsets[at(i)]; k < pattern.offsets[at(i) + 1]; ++k) {
      parts.join(i, pattern.columns[k]);
    }
  }
  if (parts.sets() == 1) return;
  std::vector<std::int32_t> sizes(at(pattern.size()), 0);
  for (std::int32_t i = 0; i < pattern.size(); ++i) ++sizes[at(parts.find(i))];
  std::int32_t smallest = parts.find(0);
  for (std::int32_t i = 0; i < pattern.size(); ++i) {
    if (sizes[at(i)] > 0 && sizes[at(i)] < sizes[at(smallest)]) smallest = i;
  }
  std::vector<std::int32_t> sensors;
  for (std::int32_t i = 0; i < pattern.size(); ++i) {
    if (parts.find(i) == smallest) sensors.push_back(i);
  }
  refuse_network("the neighbour lists leave it in " + std::to_string(parts.sets()) +
                 " parts, and mixing needs one: " + named(sensors) +
                 (sensors.size() == 1 ? " has no neighbour" : " have no neighbours") +
                 " among the others. Add neighbours, or localise the parts one by one.");
}

}  // namespace

OwnRows own_rows(std::int32_t rows, int rank, int ranks) {
  const auto bound = [&](std::int64_t r) { return static_cast<std::int32_t>(rows * r / ranks); };
  return {bound(rank), bound(rank + 1)};
}

MixingMatrix mixing_pattern(const Network& network) {
  std::vector<std::vector<std::int32_t>> rows(at(network.sensors));
  for (std::int32_t i = 0; i < network.sensors; ++i) {
    rows[at(i)].push_back(i);
    for (const std::int32_t j : network.neighbors_of(i)) {
      rows[at(i)].push_back(j);
      rows[at(j)].push_back(i);
    }
  }
  MixingMatrix pattern;
  pattern.offsets.push_back(0);
  for (std::vector<std::int32_t>& row : rows) {
    std::sort(row.begin(), row.end());
    row.erase(std::unique(row.begin(), row.end()), row.end());
    pattern.columns.insert(pattern.columns.end(), row.begin(), row.end());
    pattern.offsets.push_back(pattern.columns.size());
  }
  pattern.values.assign(pattern.columns.size(), 1.0);
  return pattern;
}

MixingMatrix sinkhorn_knopp(MixingMatrix pattern) {
  const OwnRows all{0, pattern.size()};
  set_scaled(pattern, scaling_factors(pattern), all);
  return pattern;
}

MixingMatrix sinkhorn_knopp(Communicator& group, MixingMatrix pattern) {
  const OwnRows own = own_rows(pattern.size(), group.rank(), group.size());
  set_scaled(pattern, scaling_factors(group, pattern), own);
  return pattern;
}

MixingMatrix metropolis(MixingMatrix pattern) {
  const auto degree = [&](std::int32_t i) {
    return static_cast<double>(pattern.offsets[at(i) + 1] - pattern.offsets[at(i)] - 1);
  };
  for (std::int32_t i = 0; i < pattern.size(); ++i) {
    for (std::size_t k = pattern.offsets[at(i)]; k < pattern.offsets[at(i) + 1]; ++k) {
      pattern.values[k] = 2 / (1 + std::max(degree(i), degree(pattern.columns[k])));
    }
  }
  set_diagonals(pattern, {0, pattern.size()});
  return pattern;
}

MixingMatrix mixing_for(Communicator& group, const Network& network, const Options& options) {
  MixingMatrix pattern = mixing_pattern(network);
  check_connected(pattern);
  switch (options.design) {
    case Design::SINKHORN_KNOPP:
      return sinkhorn_knopp(group, std::move(pattern));
    case Design::METROPOLIS:
      return metropolis(std::move(pattern));
    case Design::USER:
      return user_weights(std::move(pattern), options.user_weights);
  }
  throw Error(ErrorCode::INVALID_ARGUMENT, "No weight design has the code " +
                                               std::to_string(static_cast<std::int32_t>(options.design)) +
                                               "; see splitting::Design.");
}

}  // namespace lockstep::splitting
