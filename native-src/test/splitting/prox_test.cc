#include "splitting/prox/prox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "splitting/prox/dual_box_qp.h"

namespace lockstep::splitting {
namespace {

struct Case {
  double alpha;
  std::vector<double> anchors;
  std::vector<double> right_hand_sides;
  std::vector<double> before;
  std::vector<double> after;
};

const std::vector<Case> CASES{
#include "prox_reference.inc"
};

/// Sensor 0 with a range to each of the other sensors and to each anchor.
DataTerm term_of(int dimension, int neighbors, const std::vector<double>& anchors,
                 const std::vector<double>& right_hand_sides) {
  Network network;
  network.dimension = dimension;
  network.sensors = neighbors + 1;
  network.anchor_positions = anchors;
  for (std::int32_t j = 0; j < neighbors; ++j) {
    network.sensor_ranges.push_back({0, j + 1, std::sqrt(right_hand_sides[static_cast<std::size_t>(j)])});
    network.neighbors.push_back(j + 1);
  }
  network.neighbor_offsets.assign(static_cast<std::size_t>(neighbors) + 2, neighbors);
  network.neighbor_offsets[0] = 0;
  for (std::int32_t k = 0; k < network.anchors(); ++k) {
    double square = right_hand_sides[static_cast<std::size_t>(neighbors + k)];
    for (int c = 0; c < dimension; ++c) {
      const double a = anchors[static_cast<std::size_t>(k * dimension + c)];
      square += a * a;
    }
    network.anchor_ranges.push_back({0, k, std::sqrt(square)});
  }
  return DataTerm(network, 0);
}

/// Largest violation of the optimality conditions: the gradient Qw − b may only push w out of the box.
double kkt_residual(const DualBoxQp& q, const std::vector<double>& w) {
  const int rows = q.neighbors + q.anchors;
  double worst = 0;
  for (int i = 0; i < rows; ++i) {
    double gradient = -q.b[i];
    for (int l = 0; l < rows; ++l) {
      double entry = 1;
      if (i < q.neighbors && i == l) entry += 3;
      for (int c = 0; i >= q.neighbors && l >= q.neighbors && c < q.dimension; ++c) {
        entry += 2 * q.positions[(i - q.neighbors) * q.dimension + c] *
                 q.positions[(l - q.neighbors) * q.dimension + c];
      }
      gradient += entry * w[static_cast<std::size_t>(l)];
    }
    const double at = w[static_cast<std::size_t>(i)];
    EXPECT_LE(std::abs(at), q.alpha);
    if (gradient > 0 && at > -q.alpha) worst = std::max(worst, gradient);
    if (gradient < 0 && at < q.alpha) worst = std::max(worst, -gradient);
  }
  return worst;
}

TEST(ProxTest, MeetsTheReferenceFromAColdStart) {
  for (const Case& reference : CASES) {
    const DataTerm term = term_of(2, 7, reference.anchors, reference.right_hand_sides);
    std::vector<double> xi = reference.before;
    std::vector<double> dual(static_cast<std::size_t>(term.rows()), 0.0);
    term.prox_exactly(xi, reference.alpha, dual);
    for (std::size_t k = 0; k < xi.size(); ++k) EXPECT_NEAR(xi[k], reference.after[k], 1e-10) << k;
  }
}

TEST(ProxTest, EndsAtTheSamePointFromAnyStart) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> anywhere(-12, 12);
  for (const Case& reference : CASES) {
    const DataTerm term = term_of(2, 7, reference.anchors, reference.right_hand_sides);
    for (int repeat = 0; repeat < 20; ++repeat) {
      std::vector<double> xi = reference.before;
      std::vector<double> dual(static_cast<std::size_t>(term.rows()));
      for (double& w : dual) w = anywhere(random);
      term.prox_exactly(xi, reference.alpha, dual);
      for (std::size_t k = 0; k < xi.size(); ++k) EXPECT_NEAR(xi[k], reference.after[k], 1e-10) << k;
    }
  }
}

TEST(ProxTest, AStepThatIsWarmFindsItsStartOptimal) {
  const Case& reference = CASES.front();
  const DataTerm term = term_of(2, 7, reference.anchors, reference.right_hand_sides);
  std::vector<double> xi = reference.before;
  std::vector<double> dual(static_cast<std::size_t>(term.rows()), 0.0);
  term.prox_exactly(xi, reference.alpha, dual);
  std::vector<double> again = reference.before;
  std::vector<double> warm = dual;
  term.prox_exactly(again, reference.alpha, warm);
  for (std::size_t i = 0; i < warm.size(); ++i) EXPECT_NEAR(warm[i], dual[i], 1e-12);
}

/// Anchors of every awkward kind: many more than can be independent, twice the same, on a line, exact data.
TEST(ProxTest, IsOptimalWhereTheDualIsSingular) {
  std::mt19937_64 random(12);
  std::uniform_real_distribution<double> unit(0, 1);
  for (int repeat = 0; repeat < 3000; ++repeat) {
    const int dimension = 2 + repeat % 2;
    const int neighbors = static_cast<int>(random() % 8);
    const int anchors = static_cast<int>(random() % (repeat % 50 == 0 ? 120 : 9));
    const auto rows = static_cast<std::size_t>(neighbors + anchors);
    std::vector<double> positions(static_cast<std::size_t>(anchors * dimension));
    for (double& a : positions) a = repeat % 5 == 0 ? std::round(3 * unit(random)) / 3 : unit(random);
    if (repeat % 7 == 0) {
      for (std::size_t k = 0; k < positions.size(); ++k)
        positions[k] = positions[k - k % static_cast<std::size_t>(dimension)];
    }
    std::vector<double> b(rows);
    std::vector<double> w(rows);
    const double scale = repeat % 3 == 0 ? 0 : std::pow(10, 3 * unit(random) - 2);
    for (double& value : b) value = scale * (unit(random) - 0.5);
    const double alpha = std::pow(10, 2 * unit(random) - 1);
    for (double& value : w) value = repeat % 2 == 0 ? 0 : 2.2 * alpha * (unit(random) - 0.5);
    const DualBoxQp problem{dimension, neighbors, anchors, positions.data(), b.data(), alpha};
    solve_dual(problem, w.data());
    EXPECT_LE(kkt_residual(problem, w), 1e-14 * (1 + alpha * static_cast<double>(rows) + scale))
        << "case " << repeat;
  }
}

TEST(ProxTest, ValueSumsWhatStandsBetweenTheBars) {
  const DataTerm term = term_of(2, 1, {1, 2}, {4, -4});
  // |4 − (1 − 2·0.5 + 3)| + |−4 − 1 + 2 (1·0.25 + 2·0.5)|
  EXPECT_NEAR(term.value(std::vector<double>{1, 0.5, 3, 0.25, 0.5}), 1 + 2.5, 1e-14);
}

}  // namespace
}  // namespace lockstep::splitting
