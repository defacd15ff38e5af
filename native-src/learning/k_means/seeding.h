#pragma once

#include <cstdint>
#include <vector>

#include "learning/group.h"
#include "learning/k_means/points.h"

namespace lockstep::learning {

enum class Seeding : std::int32_t { SCALABLE = 0, PLUS_PLUS = 1, RANDOM = 2 };

struct SeedingOptions {
  Seeding seeding = Seeding::SCALABLE;
  std::int64_t count = 8;   ///< centres
  double oversampling = 2;  ///< k-means||: candidates expected a round, as a multiple of count
  std::int64_t rounds = 5;  ///< k-means||
  std::uint64_t seed = 0;
};

/// Initial centres, count × dimension in scaled units; the same on every rank. Collective. Where the data has
/// fewer different rows than centres are asked for, the rest repeat rows.
///
/// SCALABLE is k-means|| (Bahmani et al. 2012) with weighted k-means++ and then weighted Lloyd on the
/// candidates, without which the seeds are not as good as in the paper; PLUS_PLUS is Arthur and
/// Vassilvitskii's (2007); RANDOM takes different rows by weight. All draws are hashes of row identities.
std::vector<double> seed_centres(const Group& group, const Points& points, const SeedingOptions& options);

}  // namespace lockstep::learning
