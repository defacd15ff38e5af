#include "jni/localizer.h"

#include <algorithm>
#include <utility>

#include "lockstep/error.h"

namespace lockstep {

using Lock = std::lock_guard<std::mutex>;

Registry<Localizer>& localizers() {
  static Registry<Localizer>& instance = *new Registry<Localizer>("localizer");
  return instance;
}

Localizer::Localizer(std::shared_ptr<Communicator> group, splitting::Network network)
    : group_(std::move(group)), network_(std::move(network)) {}

std::int32_t Localizer::sensors() const {
  const Lock lock(mutex_);
  return network_.sensors;
}

int Localizer::dimension() const {
  const Lock lock(mutex_);
  return network_.dimension;
}

/// The network may have been replaced between the length that a caller worked out and this call.
void Localizer::check_length(std::size_t length, int numbers_each) const {
  const std::size_t needed =
      static_cast<std::size_t>(network_.sensors) * static_cast<std::size_t>(numbers_each);
  if (length == needed) return;
  throw Error(ErrorCode::INVALID_ARGUMENT,
              "The localizer's network was replaced by another thread during the call; one thread at a time "
              "may use a localizer.");
}

void Localizer::check_noise(const splitting::RefinementOptions& options) const {
  const auto is_exact = [](const auto& range) { return range.deviation == 0; };
  const bool some_are = std::any_of(network_.sensor_ranges.begin(), network_.sensor_ranges.end(), is_exact) ||
                        std::any_of(network_.anchor_ranges.begin(), network_.anchor_ranges.end(), is_exact);
  if (options.noise_factor > 0 || !some_are) return;
  throw Error(ErrorCode::INVALID_ARGUMENT,
              "noise_factor is 0 and a range has no deviation of its own; one of them must be positive.");
}

splitting::Splitting& Localizer::started() {
  if (splitting_ == nullptr) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "The localizer has no iteration yet; call start_localizer() first.");
  }
  return *splitting_;
}

void Localizer::start(const splitting::Options& options, std::span<const double> positions) {
  const Lock lock(mutex_);
  splitting_ = splitting::make_splitting(group_, network_, options);
  options_ = options;
  if (!positions.empty()) {
    check_length(positions.size(), network_.dimension);
    splitting_->start(positions);
  }
}

splitting::Progress Localizer::advance(std::int64_t iterations) {
  const Lock lock(mutex_);
  return started().advance(iterations);
}

void Localizer::positions(std::span<double> out) {
  const Lock lock(mutex_);
  check_length(out.size(), network_.dimension);
  started().positions(out);
}

void Localizer::excess(std::span<double> out) {
  const Lock lock(mutex_);
  check_length(out.size(), 1);
  started().excess(out);
}

double Localizer::mean_objective() {
  const Lock lock(mutex_);
  return started().mean_objective();
}

void Localizer::replace(splitting::Network network, std::span<const std::int32_t> kept,
                        std::span<const double> positions) {
  const Lock lock(mutex_);
  if (options_.form == splitting::Form::SPARSE) {
    started().replace(network, kept, positions);
  } else {
    started();
    auto next = splitting::make_splitting(group_, network, options_);
    next->start(positions);
    splitting_ = std::move(next);
  }
  network_ = std::move(network);
  estimate_.clear();
}

splitting::Refinement Localizer::refine(const splitting::RefinementOptions& options,
                                        std::span<double> positions) {
  const Lock lock(mutex_);
  check_noise(options);
  check_length(positions.size(), network_.dimension);
  refined_ = splitting::refine(*group_, network_, options, positions);
  estimate_.assign(positions.begin(), positions.end());
  return refined_;
}

void Localizer::covariances(const splitting::RefinementOptions& options, std::span<const double> positions,
                            std::span<double> out) {
  const Lock lock(mutex_);
  check_noise(options);
  check_length(positions.size(), network_.dimension);
  check_length(out.size(), network_.dimension * network_.dimension);
  splitting::covariances(*group_, network_, options, positions, out);
}

std::vector<splitting::Ambiguity> Localizer::find_ambiguous(const splitting::RefinementOptions& options,
                                                            std::span<const double> positions) {
  const Lock lock(mutex_);
  check_noise(options);
  check_length(positions.size(), network_.dimension);
  // Other folds belong to the estimate that they were found beside.
  const bool is_estimate = std::equal(positions.begin(), positions.end(), estimate_.begin(), estimate_.end());
  return splitting::find_ambiguous(
      *group_, network_, options, positions,
      is_estimate ? std::span<const splitting::Fold>(refined_.others) : std::span<const splitting::Fold>());
}

}  // namespace lockstep
