#include "splitting/dense/factor_scaling.h"

#include <algorithm>
#include <cmath>

#include "splitting/network/messages.h"

namespace lockstep::splitting {
namespace {

/// The error shrinks by (1 − λ)/2 a round, λ the least eigenvalue of the scaled matrix, which is above −1.
constexpr int MOST_ROUNDS = 10000;
constexpr double CLOSE_ENOUGH = 1e-13;

std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }

/// One round on some rows. @return the largest deviation of a row sum from 1 before it
double scale_rows(const MixingMatrix& pattern, OwnRows rows, const std::vector<double>& factors,
                  std::vector<double>& next) {
  double deviation = 0;
  for (std::int32_t i = rows.begin; i < rows.end; ++i) {
    double sum = 0;
    for (std::size_t k = pattern.offsets[at(i)]; k < pattern.offsets[at(i) + 1]; ++k) {
      sum += factors[at(pattern.columns[k])];
    }
    deviation = std::max(deviation, std::abs(factors[at(i)] * sum - 1));
    next[at(i)] = std::sqrt(factors[at(i)] / sum);
  }
  return deviation;
}

/// Which factors go to and come from one other rank, in order of their number.
struct Boundary {
  int rank;
  std::vector<std::int32_t> sent;
  std::vector<std::int32_t> received;
};

std::vector<std::int32_t> columns_inside(const MixingMatrix& pattern, OwnRows rows, OwnRows columns) {
  std::vector<std::int32_t> found;
  for (std::size_t k = pattern.offsets[at(rows.begin)]; k < pattern.offsets[at(rows.end)]; ++k) {
    const std::int32_t column = pattern.columns[k];
    if (column >= columns.begin && column < columns.end) found.push_back(column);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::vector<Boundary> boundaries_of(const Communicator& group, const MixingMatrix& pattern) {
  const OwnRows own = own_rows(pattern.size(), group.rank(), group.size());
  std::vector<Boundary> boundaries;
  for (int rank = 0; rank < group.size(); ++rank) {
    if (rank == group.rank()) continue;
    const OwnRows theirs = own_rows(pattern.size(), rank, group.size());
    Boundary boundary{rank, columns_inside(pattern, theirs, own), columns_inside(pattern, own, theirs)};
    if (!boundary.received.empty()) boundaries.push_back(std::move(boundary));
  }
  return boundaries;
}

/// Pair by pair in the order of ranks, which all share, and the lower one sends first: nobody waits in a
/// ring.
void exchange(Communicator& group, const std::vector<Boundary>& boundaries, std::vector<double>& factors) {
  std::vector<double> message;
  for (const Boundary& boundary : boundaries) {
    const auto send_own = [&] {
      message.clear();
      for (const std::int32_t i : boundary.sent) message.push_back(factors[at(i)]);
      send(group, message, boundary.rank);
    };
    if (group.rank() < boundary.rank) send_own();
    std::vector<double> received(boundary.received.size());
    receive(group, received, boundary.rank);
    for (std::size_t k = 0; k < received.size(); ++k) factors[at(boundary.received[k])] = received[k];
    if (group.rank() > boundary.rank) send_own();
  }
}

}  // namespace

std::vector<double> scaling_factors(const MixingMatrix& pattern) {
  std::vector<double> factors(at(pattern.size()), 1.0);
  std::vector<double> next = factors;
  for (int round = 0; round < MOST_ROUNDS; ++round) {
    if (scale_rows(pattern, {0, pattern.size()}, factors, next) < CLOSE_ENOUGH) break;
    std::swap(factors, next);
  }
  return factors;
}

std::vector<double> scaling_factors(Communicator& group, const MixingMatrix& pattern) {
  const OwnRows own = own_rows(pattern.size(), group.rank(), group.size());
  const std::vector<Boundary> boundaries = boundaries_of(group, pattern);
  std::vector<double> factors(at(pattern.size()), 1.0);
  std::vector<double> next = factors;
  for (int round = 0; round < MOST_ROUNDS; ++round) {
    const double deviation = scale_rows(pattern, own, factors, next);
    if (largest_of_all(group, deviation) < CLOSE_ENOUGH) break;
    std::swap(factors, next);
    exchange(group, boundaries, factors);
  }
  return factors;
}

}  // namespace lockstep::splitting
