#include "splitting/dense/dense_splitting.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <string>

#include "lockstep/error.h"
#include "splitting/network/messages.h"
#include "splitting/prox/psd_projection.h"

namespace lockstep::splitting {
namespace {

std::size_t at(std::int32_t index) { return static_cast<std::size_t>(index); }

/// Numbers of each rank where every row has `each`.
std::vector<std::int64_t> counts_of(const Communicator& group, std::int32_t rows, std::size_t each) {
  std::vector<std::int64_t> counts;
  for (int rank = 0; rank < group.size(); ++rank) {
    const OwnRows own = own_rows(rows, rank, group.size());
    counts.push_back(static_cast<std::int64_t>(at(own.end - own.begin) * each));
  }
  return counts;
}

/// Copies grow with the cube of the number of sensors: these take 4 GiB in all.
constexpr std::int32_t MOST_SENSORS = 500;

const Network& small_enough(const Network& network) {
  if (network.sensors <= MOST_SENSORS) return network;
  throw Error(ErrorCode::INVALID_ARGUMENT, "The dense form is for at most " + std::to_string(MOST_SENSORS) +
                                               " sensors, not " + std::to_string(network.sensors) +
                                               ", because each keeps whole matrices. Use the sparse form.");
}

/// The rows of S that a sensor's block has.
std::vector<std::size_t> block_of(const Network& network, std::int32_t sensor) {
  const auto d = static_cast<std::size_t>(network.dimension);
  std::vector<std::size_t> rows;
  for (std::size_t c = 0; c < d; ++c) rows.push_back(c);
  rows.push_back(d + at(sensor));
  for (const std::int32_t neighbor : network.neighbors_of(sensor)) rows.push_back(d + at(neighbor));
  return rows;
}

/// In the norm that counts off-diagonals twice, which is that of the whole matrix.
double squared_norm(std::span<const double> copy, std::size_t width) {
  double sum = 0;
  double diagonal = 0;
  for (const double value : copy) sum += value * value;
  for (std::size_t row = 0, k = 0; row < width; k += width - row, ++row) diagonal += copy[k] * copy[k];
  return 2 * sum - diagonal;
}

}  // namespace

DenseSplitting::DenseSplitting(std::shared_ptr<Communicator> group, const Network& network,
                               const Options& options, DualSolver solver)
    : group_(std::move(group)),
      network_(small_enough(network)),
      options_(options),
      solver_(solver),
      mixing_(mixing_for(*group_, network, options)),
      own_(own_rows(network.sensors, group_->rank(), group_->size())),
      layout_{static_cast<std::size_t>(network.dimension) + at(network.sensors)},
      stopping_(options) {
  for (std::int32_t i = own_.begin; i < own_.end; ++i) {
    terms_.emplace_back(network_, i);
    entries_.push_back(term_entries(i));
    prox_duals_.emplace_back(static_cast<std::size_t>(terms_.back().rows()), 0.0);
  }
  if (options_.prox == ProxKind::INEXACT) {
    for (const DataTerm& term : terms_) inexact_.emplace_back(term);
  }
  const std::size_t count = at(own_.end - own_.begin);
  for (auto* copies : {&x_, &y_, &v_, &u_, &s_, &t_}) *copies = SymmetricCopies(layout_, count);
  if (group_->size() > 1) everyones_ = SymmetricCopies(layout_, at(network_.sensors));
  start({});
}

std::vector<std::size_t> DenseSplitting::term_entries(std::int32_t sensor) const {
  const auto d = static_cast<std::size_t>(network_.dimension);
  const std::size_t own = d + at(sensor);
  std::vector<std::size_t> entries{layout_.at(own, own)};
  for (const std::int32_t j : network_.neighbors_of(sensor)) entries.push_back(layout_.at(own, d + at(j)));
  for (const std::int32_t j : network_.neighbors_of(sensor)) {
    entries.push_back(layout_.at(d + at(j), d + at(j)));
  }
  for (std::size_t c = 0; c < d; ++c) entries.push_back(layout_.at(c, own));
  return entries;
}

void DenseSplitting::start(std::span<const double> positions) {
  const auto d = static_cast<std::size_t>(network_.dimension);
  const std::size_t n = at(network_.sensors);
  if (!positions.empty() && positions.size() != n * d) {
    throw Error(ErrorCode::INVALID_ARGUMENT, "A warm start needs " + std::to_string(n * d) +
                                                 " coordinates, not " + std::to_string(positions.size()) +
                                                 ".");
  }
  std::vector<double> first(layout_.entries(), 0.0);
  for (std::size_t c = 0; c < d; ++c) first[layout_.at(c, c)] = 1;
  for (std::size_t i = 0; i < n && !positions.empty(); ++i) {
    const auto mine = positions.subspan(i * d, d);
    for (std::size_t c = 0; c < d; ++c) first[layout_.at(c, d + i)] = mine[c];
    for (std::size_t j = i; j < n; ++j) {
      double product = 0;
      for (std::size_t c = 0; c < d; ++c) product += mine[c] * positions[j * d + c];
      first[layout_.at(d + i, d + j)] = product;
    }
  }
  for (std::size_t row = 0; row < terms_.size(); ++row) {
    for (auto* copies : {&v_, &x_, &y_}) std::copy(first.begin(), first.end(), (*copies)[row].begin());
    std::transform(first.begin(), first.end(), u_[row].begin(), std::negate<>());
    std::fill(prox_duals_[row].begin(), prox_duals_[row].end(), 0.0);
  }
  for (InexactProx& prox : inexact_) prox.restart();
  stopping_.restart();
}

/// Sensors whose blocks are equally wide are projected side by side.
void DenseSplitting::project_all() {
  std::copy(v_.all().begin(), v_.all().end(), x_.all().begin());
  std::map<int, std::vector<std::int32_t>> by_width;
  for (std::int32_t i = own_.begin; i < own_.end; ++i) {
    const int width = network_.dimension + 1 + static_cast<int>(network_.neighbors_of(i).size());
    by_width[width].push_back(i);
  }
  for (const auto& [width, sensors] : by_width) {
    for (std::size_t first = 0; first < sensors.size(); first += PSD_LANES) {
      const std::size_t count = std::min(PSD_LANES, sensors.size() - first);
      project(std::span(sensors).subspan(first, count), width);
    }
  }
}

void DenseSplitting::project(std::span<const std::int32_t> sensors, int width) {
  alignas(PSD_ALIGNMENT) std::array<double, PSD_MAX_WIDTH * PSD_MAX_WIDTH * PSD_LANES> batch;
  std::fill_n(batch.begin(), static_cast<std::size_t>(width * width) * PSD_LANES, 0.0);
  const auto each_entry = [&](const auto& visit) {
    for (std::size_t lane = 0; lane < sensors.size(); ++lane) {
      const std::vector<std::size_t> block = block_of(network_, sensors[lane]);
      const std::span<double> copy = x_[at(sensors[lane] - own_.begin)];
      for (std::size_t row = 0; row < block.size(); ++row) {
        for (std::size_t column = 0; column < block.size(); ++column) {
          visit(copy[layout_.at(block[row], block[column])],
                batch[(row * static_cast<std::size_t>(width) + column) * PSD_LANES + lane]);
        }
      }
    }
  };
  each_entry([](double entry, double& lane) { lane = entry; });
  project_psd(batch.data(), width);
  each_entry([](double& entry, double lane) { entry = lane; });
}

void DenseSplitting::take_prox_steps() {
  const auto d = static_cast<std::size_t>(network_.dimension);
  std::vector<double> xi;
  for (std::size_t row = 0; row < terms_.size(); ++row) {
    const std::span<double> y = y_[row];
    for (std::size_t k = 0; k < y.size(); ++k) y[k] = u_[row][k] + s_[row][k];
    xi.clear();
    for (const std::size_t entry : entries_[row]) xi.push_back(y[entry]);
    if (inexact_.empty()) {
      terms_[row].prox_exactly(xi, options_.alpha, prox_duals_[row], solver_);
    } else {
      inexact_[row].step(xi, options_.alpha);
    }
    for (std::size_t k = 0; k < xi.size(); ++k) y[entries_[row][k]] = xi[k];
    for (std::size_t r = 0; r < d; ++r) {
      for (std::size_t c = r; c < d; ++c) y[layout_.at(r, c)] = r == c ? 1 : 0;
    }
  }
}

const SymmetricCopies& DenseSplitting::gathered(const SymmetricCopies& copies) {
  if (group_->size() == 1) return copies;
  gather_all(*group_, copies.all(), everyones_.all(),
             counts_of(*group_, network_.sensors, layout_.entries()));
  return everyones_;
}

/// Rows in the order of their columns, whoever owns them: the same bits on any number of ranks.
void DenseSplitting::mix(const SymmetricCopies& copies, SymmetricCopies& mixed) {
  const SymmetricCopies& all = gathered(copies);
  for (std::int32_t i = own_.begin; i < own_.end; ++i) {
    const std::span<double> sum = mixed[at(i - own_.begin)];
    std::fill(sum.begin(), sum.end(), 0.0);
    for (std::size_t k = mixing_.offsets[at(i)]; k < mixing_.offsets[at(i) + 1]; ++k) {
      const double weight = mixing_.values[k];
      const std::span<const double> copy = all[at(mixing_.columns[k])];
      for (std::size_t e = 0; e < sum.size(); ++e) sum[e] += weight * copy[e];
    }
  }
}

/// @return the squared norm of what the copy lacks to consensus
double DenseSplitting::update(SymmetricCopies& duals, const SymmetricCopies& copies,
                              const SymmetricCopies& mixed, std::int32_t row) {
  const std::span<double> dual = duals[at(row)];
  const std::span<const double> copy = copies[at(row)];
  const std::span<const double> mean = mixed[at(row)];
  gap_.resize(dual.size());
  for (std::size_t k = 0; k < dual.size(); ++k) {
    gap_[k] = 2 * copy[k] - mean[k];
    dual[k] -= options_.gamma * gap_[k];
  }
  return squared_norm(gap_, layout_.width);
}

IterationTotals DenseSplitting::iterate() {
  project_all();
  mix(x_, s_);
  take_prox_steps();
  mix(y_, t_);
  constexpr std::size_t TOTALS = 3;
  std::vector<double> own;
  std::vector<double> xi;
  for (std::int32_t row = 0; row < own_.end - own_.begin; ++row) {
    xi.clear();
    for (const std::size_t entry : entries_[at(row)]) xi.push_back(y_[at(row)][entry]);
    own.push_back(terms_[at(row)].value(xi));
    const double gap_x = update(v_, x_, t_, row);
    own.push_back(gap_x + update(u_, y_, s_, row));
    own.push_back(squared_norm(x_[at(row)], layout_.width) + squared_norm(y_[at(row)], layout_.width));
  }
  std::vector<double> all(at(network_.sensors) * TOTALS);
  gather_all(*group_, own, all, counts_of(*group_, network_.sensors, TOTALS));
  IterationTotals totals;
  for (std::size_t k = 0; k < all.size(); k += TOTALS) {
    totals.objective += all[k];
    totals.change += all[k + 1];
    totals.size += all[k + 2];
  }
  return totals;
}

Progress DenseSplitting::advance(std::int64_t iterations) {
  for (std::int64_t k = 0; k < iterations && stopping_.progress().stop == Stop::NONE; ++k) {
    stopping_.judge(iterate());
  }
  return stopping_.progress();
}

std::vector<double> DenseSplitting::sum_of(const SymmetricCopies& first, const SymmetricCopies& second) {
  std::vector<double> sum(layout_.entries(), 0.0);
  for (const SymmetricCopies* copies : {&first, &second}) {
    const SymmetricCopies& all = gathered(*copies);
    for (std::size_t i = 0; i < all.count(); ++i) {
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += all[i][k];
    }
  }
  return sum;
}

void DenseSplitting::positions(std::span<double> out) {
  const auto d = static_cast<std::size_t>(network_.dimension);
  const std::vector<double> sum = sum_of(x_, y_);
  for (std::size_t i = 0; i < at(network_.sensors); ++i) {
    for (std::size_t c = 0; c < d; ++c) out[i * d + c] = sum[layout_.at(c, d + i)] / copies();
  }
}

void DenseSplitting::excess(std::span<double> out) {
  const auto d = static_cast<std::size_t>(network_.dimension);
  const std::vector<double> sum = sum_of(x_, y_);
  for (std::size_t i = 0; i < at(network_.sensors); ++i) {
    double square = 0;
    for (std::size_t c = 0; c < d; ++c) square += std::pow(sum[layout_.at(c, d + i)] / copies(), 2);
    out[i] = sum[layout_.at(d + i, d + i)] / copies() - square;
  }
}

double DenseSplitting::mean_objective() {
  const std::vector<double> sum = sum_of(x_, y_);
  std::vector<double> xi;
  std::vector<double> own;
  for (std::size_t row = 0; row < terms_.size(); ++row) {
    xi.clear();
    for (const std::size_t entry : entries_[row]) xi.push_back(sum[entry] / copies());
    own.push_back(terms_[row].value(xi));
  }
  std::vector<double> all(at(network_.sensors));
  gather_all(*group_, own, all, counts_of(*group_, network_.sensors, 1));
  return std::accumulate(all.begin(), all.end(), 0.0);
}

double DenseSplitting::invariant_defect() {
  double largest = 0;
  for (const double value : sum_of(v_, u_)) largest = std::max(largest, std::abs(value));
  return largest;
}

std::unique_ptr<Splitting> make_dense(std::shared_ptr<Communicator> group, const Network& network,
                                      const Options& options) {
  return std::make_unique<DenseSplitting>(std::move(group), network, options);
}

}  // namespace lockstep::splitting
