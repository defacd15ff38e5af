#pragma once

/// @file
/// The splitting's steps suit networks of about unit size near the origin, which is where all published ones
/// are. Others (metres, geographic grids) are moved there and back.

#include <memory>
#include <span>
#include <vector>

#include "splitting/splitting.h"

namespace lockstep::splitting {

/// Where the origin lies and how long a unit is, in the caller's coordinates.
struct Frame {
  std::vector<double> origin;
  double unit = 1;

  /// That of the anchors' bounding box: its centre and longest side; or the caller's own, so that published
  /// runs stay as they are to the last bit, where these differ by less than a factor of ten from what the
  /// steps are made for.
  static Frame of(const Network& network);

  bool is_callers() const;
  Network enter(Network network) const;
  void enter(std::span<double> positions) const;
  void leave(std::span<double> positions) const;
};

/// Another splitting, seen from outside its frame. Objectives are in the caller's unit of length, squared.
class FramedSplitting final : public Splitting {
 public:
  /// @param inner on frame.enter(network)
  FramedSplitting(Frame frame, std::unique_ptr<Splitting> inner);

  void start(std::span<const double> positions) override;
  Progress advance(std::int64_t iterations) override;
  /// In the frame as it is: anchors that are added far away do not move it.
  void replace(const Network& network, std::span<const std::int32_t> kept,
               std::span<const double> positions) override;
  void positions(std::span<double> out) override;
  void excess(std::span<double> out) override;
  double mean_objective() override;

 private:
  const Frame frame_;
  const std::unique_ptr<Splitting> inner_;
};

}  // namespace lockstep::splitting
