#include "splitting/sparse/sparse_splitting.h"

#include <string>

#include "lockstep/error.h"
#include "splitting/network/leaf_sums.h"
#include "splitting/network/messages.h"
#include "splitting/sparse/kept_duals.h"

namespace lockstep::splitting {
namespace {

const Options& checked(const Options& options) {
  if (options.design == Design::USER) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "The sparse form has one splitting matrix for each entry and takes no user weights: use the "
                "design metropolis or sinkhorn-knopp, or the dense form.");
  }
  return options;
}

void check_kept(const Network& network, std::span<const std::int32_t> kept, std::span<const double> positions,
                std::int32_t sensors_before, int dimension) {
  const auto demand = [](bool holds, const std::string& what) {
    if (holds) return;
    throw Error(ErrorCode::INVALID_ARGUMENT, "Cannot go on with the changed network: " + what + ".");
  };
  const auto sensors = static_cast<std::size_t>(network.sensors);
  demand(network.dimension == dimension, "it has " + std::to_string(network.dimension) +
                                             " dimensions where there were " + std::to_string(dimension));
  demand(kept.size() == sensors, "there are " + std::to_string(kept.size()) + " earlier numbers for " +
                                     std::to_string(sensors) + " sensors");
  demand(positions.size() == sensors * static_cast<std::size_t>(dimension),
         "there are " + std::to_string(positions.size()) + " coordinates for " + std::to_string(sensors) +
             " sensors");
  std::vector<std::int32_t> now(static_cast<std::size_t>(sensors_before), -1);
  for (std::int32_t sensor = 0; sensor < network.sensors; ++sensor) {
    const std::int32_t before = kept[static_cast<std::size_t>(sensor)];
    if (before == -1) continue;
    const std::string name =
        "sensor " + std::to_string(sensor) + " was " + std::to_string(before) + " before";
    demand(before >= 0 && before < sensors_before,
           name + ", but sensors were numbered from 0 to " + std::to_string(sensors_before - 1));
    std::int32_t& other = now[static_cast<std::size_t>(before)];
    demand(other == -1, name + ", and so was sensor " + std::to_string(other));
    other = sensor;
  }
}

}  // namespace

SparseSplitting::SparseSplitting(std::shared_ptr<Communicator> group, const Network& network,
                                 const Options& options)
    : group_(std::move(group)),
      options_(checked(options)),
      problem_(std::make_unique<SparseProblem>(network, options, group_->rank(), group_->size())),
      iteration_(std::make_unique<SparseIteration>(*group_, *problem_, options)),
      rule_(options) {
  start({});
}

void SparseSplitting::start(std::span<const double> positions) {
  const auto expected = static_cast<std::size_t>(problem_->holders.sensors()) *
                        static_cast<std::size_t>(problem_->blocks.dimension());
  if (!positions.empty() && positions.size() != expected) {
    throw Error(ErrorCode::INVALID_ARGUMENT, "A warm start takes " + std::to_string(expected) +
                                                 " coordinates, not " + std::to_string(positions.size()) +
                                                 ".");
  }
  iteration_->start(positions);
  rule_.restart();
  totals_ = {};
}

void SparseSplitting::replace(const Network& network, std::span<const std::int32_t> kept,
                              std::span<const double> positions) {
  check_kept(network, kept, positions, problem_->holders.sensors(), problem_->blocks.dimension());
  const KeptDuals duals(*group_, *problem_, *iteration_);
  auto problem = std::make_unique<SparseProblem>(network, options_, group_->rank(), group_->size());
  auto iteration = std::make_unique<SparseIteration>(*group_, *problem, options_);
  iteration->start(positions);
  duals.restore(*problem, kept, *iteration);
  iteration_ = std::move(iteration);
  problem_ = std::move(problem);
  rule_.restart();
  totals_ = {};
}

Progress SparseSplitting::advance(std::int64_t iterations) {
  const bool judges_all = options_.stops_early || options_.tolerance > 0;
  Progress progress = rule_.progress();
  for (std::int64_t i = 1; i <= iterations && progress.stop == Stop::NONE; ++i) {
    iteration_->step();
    // Without a rule to obey, only the last totals are looked at.
    if (judges_all || i == iterations) measure();
    progress = rule_.judge(totals_);
  }
  return progress;
}

void SparseSplitting::measure() {
  const auto sums = sum_of_all(*group_, problem_->partition, iteration_->measures());
  totals_ = {sums[Measure::OBJECTIVE], sums[Measure::CHANGE], sums[Measure::SIZE]};
}

std::vector<double> SparseSplitting::means() {
  const Blocks& blocks = problem_->blocks;
  const int d = blocks.dimension();
  std::vector<double> own;
  for (std::int32_t place = blocks.begin(); place < blocks.end(); ++place) {
    for (int row = 0; row <= d; ++row) own.push_back(iteration_->mean(blocks.slot(place, row, d)));
  }
  std::vector<std::int64_t> counts;
  const auto& begins = problem_->partition.begins;
  for (std::size_t rank = 0; rank + 1 < begins.size(); ++rank) {
    counts.push_back(static_cast<std::int64_t>(begins[rank + 1] - begins[rank]) * (d + 1));
  }
  std::vector<double> all(static_cast<std::size_t>(begins.back()) * static_cast<std::size_t>(d + 1));
  gather_all(*group_, own, all, counts);
  return all;
}

void SparseSplitting::positions(std::span<double> out) {
  const auto d = static_cast<std::size_t>(problem_->blocks.dimension());
  const std::vector<double> all = means();
  for (std::size_t place = 0; place < problem_->partition.sensor_at.size(); ++place) {
    const auto sensor = static_cast<std::size_t>(problem_->partition.sensor_at[place]);
    for (std::size_t c = 0; c < d; ++c) out[sensor * d + c] = all[place * (d + 1) + c];
  }
}

void SparseSplitting::excess(std::span<double> out) {
  const auto d = static_cast<std::size_t>(problem_->blocks.dimension());
  const std::vector<double> all = means();
  for (std::size_t place = 0; place < problem_->partition.sensor_at.size(); ++place) {
    double square = 0;
    for (std::size_t c = 0; c < d; ++c) square += all[place * (d + 1) + c] * all[place * (d + 1) + c];
    out[static_cast<std::size_t>(problem_->partition.sensor_at[place])] = all[place * (d + 1) + d] - square;
  }
}

// Whoever holds (i, j) beside i is a neighbour of i, so that i's row of Y_ij has all holders; Y_jj has
// holders that i does not know.
double SparseSplitting::mean_objective() {
  const Blocks& blocks = problem_->blocks;
  const auto d = static_cast<std::size_t>(blocks.dimension());
  const std::vector<double> all = means();
  std::vector<std::array<double, 1>> values;
  std::vector<double> xi;
  for (std::int32_t place = blocks.begin(); place < blocks.end(); ++place) {
    const auto members = blocks.holders().members(place);
    xi.clear();
    for (std::size_t m = 0; m < members.size(); ++m) {
      xi.push_back(iteration_->mean(blocks.slot(place, static_cast<int>(d), static_cast<int>(d + m))));
    }
    for (const std::int32_t member : members.subspan(1)) {
      xi.push_back(all[static_cast<std::size_t>(member) * (d + 1) + d]);
    }
    for (std::size_t c = 0; c < d; ++c) xi.push_back(all[static_cast<std::size_t>(place) * (d + 1) + c]);
    values.push_back({problem_->term(place).value(xi)});
  }
  return sum_of_all<1>(*group_, problem_->partition, values)[0];
}

std::unique_ptr<Splitting> make_sparse(std::shared_ptr<Communicator> group, const Network& network,
                                       const Options& options) {
  return std::make_unique<SparseSplitting>(std::move(group), network, options);
}

}  // namespace lockstep::splitting
