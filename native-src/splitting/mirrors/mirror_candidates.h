#pragma once

/// @file
/// Groups of sensors that little holds on their side of a line (in space: of a plane).

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "splitting/network/range_graph.h"

namespace lockstep::splitting {

/// A group mirrored as one body, before anything gives way.
struct MirrorCandidate {
  double rise;                        ///< of the cost, by the ranges between the group and the rest
  std::vector<std::int32_t> sensors;  ///< ascending
  std::vector<double> positions;      ///< mirrored: sensors × d
};

/// Candidates by their sensors, so that each is kept once.
using MirrorCandidates = std::map<std::vector<std::int32_t>, MirrorCandidate>;

/// Keeps the cheaper of two candidates with the same sensors, in whatever order they come.
void add(MirrorCandidate candidate, MirrorCandidates& candidates);

/// A group is held on its side of a mirror by ranges to sensors off it, not by those on it: for each line
/// through two points near each other (plane through three), ranges that a reflection would change by much,
/// and whose ends are not close to the mirror, tie their ends together. What is then not tied to an anchor is
/// a group. Serial; of all mirrors one share, so that add() of all shares is the same for any number of them.
/// @param points points × d
MirrorCandidates mirror_candidates(const RangeGraph& graph, const Loss& loss, std::span<const double> points,
                                   int share, int shares);

/// The whole network mirrored in the principal axes of its anchors, in one and in several of them: anchors
/// that lie almost on a line or in a plane hardly tell its sides apart. Serial; the rises are not yet known.
std::vector<MirrorCandidate> mirrored_networks(const RangeGraph& graph, std::span<const double> points);

/// Shifts and turns a candidate as one body to where its ranges to the rest fit best, by Gauss–Newton.
/// @param candidate its rise and positions are written
void align(const RangeGraph& graph, const Loss& loss, std::span<const double> points,
           MirrorCandidate& candidate);

}  // namespace lockstep::splitting
