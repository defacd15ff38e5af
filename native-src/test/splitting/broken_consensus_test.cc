// A distributed version of the dense form that was once in use: every rank adds up the part of s_i and t_i
// that it knows, and the parts are all-reduced. Since a rank knows the neighbours of its own sensors as well,
// sensors are counted several times. It stays here to show that the tests of the right forms would notice.

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "networks.h"
#include "ranks.h"
#include "sparse_runs.h"
#include "splitting/network/messages.h"
#include "splitting/prox/psd_projection.h"

namespace lockstep::splitting {
namespace {

enum class Counting { EACH_SENSOR_ONCE, WHAT_EACH_RANK_KNOWS };

/// Copies of S, (d + n)² numbers each, one for each sensor; everything on every rank but the sums.
class Consensus {
 public:
  Consensus(Communicator& group, const Network& network, Counting counting)
      : group_(group), network_(network), n_(static_cast<std::size_t>(network.sensors)), size_(D + n_) {
    const Rows adjacent = symmetric_neighbors(network);
    weights_.assign(n_ * n_, 0.0);
    known_.assign(n_, false);
    for (std::size_t i = 0; i < n_; ++i) {
      const bool is_own =
          i * static_cast<std::size_t>(group.size()) / n_ == static_cast<std::size_t>(group.rank());
      if (is_own) known_[i] = true;
      double rest = 2;
      for (const std::int32_t j : adjacent[static_cast<std::int32_t>(i)]) {
        const auto degree = std::max(adjacent[static_cast<std::int32_t>(i)].size(), adjacent[j].size());
        rest -= weights_[i * n_ + static_cast<std::size_t>(j)] = 2.0 / (1.0 + static_cast<double>(degree));
        if (is_own && counting == Counting::WHAT_EACH_RANK_KNOWS) known_[static_cast<std::size_t>(j)] = true;
      }
      weights_[i * n_ + i] = rest;
      terms_.emplace_back(network, static_cast<std::int32_t>(i));
      duals_.emplace_back(static_cast<std::size_t>(terms_.back().rows()), 0.0);
    }
    v_.assign(n_ * size_ * size_, 0.0);
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t c = 0; c < D; ++c) at(v_, i, c, c) = 1;
    }
    x_ = y_ = v_;
    u_ = v_;
    for (double& value : u_) value = -value;
  }

  void step() {
    x_ = v_;
    for (std::size_t i = 0; i < n_; ++i) project(i);
    const std::vector<double> s = mixed(x_);
    for (std::size_t k = 0; k < u_.size(); ++k) y_[k] = u_[k] + s[k];
    for (std::size_t i = 0; i < n_; ++i) fit_data(i);
    const std::vector<double> t = mixed(y_);
    for (std::size_t k = 0; k < u_.size(); ++k) {
      v_[k] -= 0.999 * (2 * x_[k] - t[k]);
      u_[k] -= 0.999 * (2 * y_[k] - s[k]);
    }
  }

  std::vector<double> positions() {
    std::vector<double> result(n_ * D, 0.0);
    for (std::size_t copy = 0; copy < n_; ++copy) {
      for (std::size_t i = 0; i < n_; ++i) {
        for (std::size_t c = 0; c < D; ++c) {
          result[i * D + c] +=
              (at(x_, copy, c, D + i) + at(y_, copy, c, D + i)) / (2.0 * static_cast<double>(n_));
        }
      }
    }
    return result;
  }

 private:
  static constexpr std::size_t D = 2;

  double& at(std::vector<double>& copies, std::size_t copy, std::size_t row, std::size_t column) const {
    return copies[(copy * size_ + row) * size_ + column];
  }

  /// Σ_j P_ij x_j, each rank adding the j that it knows.
  std::vector<double> mixed(const std::vector<double>& copies) {
    const std::size_t entries = size_ * size_;
    std::vector<double> part(copies.size(), 0.0);
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t j = 0; j < n_; ++j) {
        const double weight = weights_[i * n_ + j];
        if (weight == 0 || !known_[j]) continue;
        for (std::size_t k = 0; k < entries; ++k) part[i * entries + k] += weight * copies[j * entries + k];
      }
    }
    std::vector<double> sum(part.size());
    RawRequest request{};
    request.operation = static_cast<std::int32_t>(Operation::ALL_REDUCE);
    request.type = static_cast<std::int32_t>(DataType::F64);
    request.op = static_cast<std::int32_t>(ReduceOp::SUM);
    request.input = reinterpret_cast<std::int64_t>(part.data());
    request.output = reinterpret_cast<std::int64_t>(sum.data());
    request.count = static_cast<std::int64_t>(part.size());
    group_.run(request);
    return sum;
  }

  std::vector<std::size_t> block_of(std::size_t i) const {
    std::vector<std::size_t> block = {0, 1, D + i};
    for (const std::int32_t j : network_.neighbors_of(static_cast<std::int32_t>(i))) {
      block.push_back(D + static_cast<std::size_t>(j));
    }
    return block;
  }

  void project(std::size_t i) {
    alignas(PSD_ALIGNMENT) double batch[PSD_MAX_WIDTH * PSD_MAX_WIDTH * PSD_LANES] = {};
    const auto block = block_of(i);
    for (std::size_t a = 0; a < block.size(); ++a) {
      for (std::size_t b = 0; b < block.size(); ++b) {
        batch[(a * block.size() + b) * PSD_LANES] = at(x_, i, block[a], block[b]);
      }
    }
    project_psd(batch, static_cast<int>(block.size()));
    for (std::size_t a = 0; a < block.size(); ++a) {
      for (std::size_t b = 0; b < block.size(); ++b) {
        at(x_, i, block[a], block[b]) = batch[(a * block.size() + b) * PSD_LANES];
      }
    }
  }

  void fit_data(std::size_t i) {
    const auto block = block_of(i);
    const std::size_t own = D + i;
    std::vector<std::pair<std::size_t, std::size_t>> entries = {{own, own}};
    for (std::size_t k = D + 1; k < block.size(); ++k) entries.emplace_back(own, block[k]);
    for (std::size_t k = D + 1; k < block.size(); ++k) entries.emplace_back(block[k], block[k]);
    for (std::size_t c = 0; c < D; ++c) entries.emplace_back(c, own);
    std::vector<double> xi;
    for (const auto& [row, column] : entries) xi.push_back(at(y_, i, row, column));
    terms_[i].prox_exactly(xi, 10, duals_[i]);
    for (std::size_t k = 0; k < entries.size(); ++k) {
      const auto& [row, column] = entries[k];
      at(y_, i, row, column) = at(y_, i, column, row) = xi[k];
    }
    for (std::size_t a = 0; a < D; ++a) {
      for (std::size_t b = 0; b < D; ++b) at(y_, i, a, b) = a == b ? 1 : 0;
    }
  }

  Communicator& group_;
  const Network& network_;
  const std::size_t n_, size_;
  std::vector<double> weights_;
  std::vector<bool> known_;  ///< whose copies this rank adds to the sums
  std::vector<DataTerm> terms_;
  std::vector<std::vector<double>> duals_;
  std::vector<double> x_, y_, v_, u_;
};

double error_after_60_iterations(int ranks, Counting counting) {
  const test::KnownNetwork known = test::radar_20_8();
  const Network network = checked(known.network(), 7);
  std::vector<double> errors(static_cast<std::size_t>(ranks));
  test::run_as_ranks(ranks, [&](int rank) {
    const auto group = test::group_of(rank, ranks);
    Consensus consensus(*group, network, counting);
    for (int i = 0; i < 60; ++i) consensus.step();
    errors[static_cast<std::size_t>(rank)] = std::sqrt(known.mean_squared_error(consensus.positions()));
  });
  return errors[0];
}

TEST(BrokenConsensusTest, IsFarOffOnTwoRanksWhereTheRightSumsAreNot) {
  const double alone = error_after_60_iterations(1, Counting::EACH_SENSOR_ONCE);
  EXPECT_LT(alone, 0.1);
  EXPECT_NEAR(error_after_60_iterations(2, Counting::EACH_SENSOR_ONCE), alone, 1e-6);
  const double broken = error_after_60_iterations(2, Counting::WHAT_EACH_RANK_KNOWS);
  EXPECT_FALSE(broken < 10 * alone) << broken;  // it may even have overflowed
}

TEST(BrokenConsensusTest, GoesUnnoticedOnOneRank) {
  EXPECT_EQ(error_after_60_iterations(1, Counting::WHAT_EACH_RANK_KNOWS),
            error_after_60_iterations(1, Counting::EACH_SENSOR_ONCE));
}

}  // namespace
}  // namespace lockstep::splitting
