#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lockstep/export.h"

namespace lockstep {

/// How a collective is carried out. Each has a pair of files of its own in this folder, but for LIBRARY.
enum class Algorithm {
  NONE,                ///< nothing to do, or not a collective (SEND, RECEIVE)
  RING,                ///< reduce-scatter and all-gather around a ring
  RECURSIVE_DOUBLING,  ///< whole vectors, exchanged with ever farther partners
  HALVING_DOUBLING,    ///< Rabenseifner's; binary blocks where P is no power of two
  BINOMIAL_TREE,
  DOUBLE_BINARY_TREE,  ///< two trees, each for one half
  LINEAR,              ///< everyone with the root
  PAIRWISE,            ///< everyone with everyone, one after the other
  DISSEMINATION,       ///< of the barrier
  DIRECT,              ///< each rank reads its peers' memory (one host)
  HIERARCHICAL,        ///< DIRECT inside hosts, another one between their leaders
  LIBRARY              ///< the backend's own (MPI, Gloo)
};

/// As in configurations and reports: "recursive-doubling".
LOCKSTEP_API std::string name_of(Algorithm algorithm);

/// The inverse of name_of().
LOCKSTEP_API std::optional<Algorithm> algorithm_from(std::string_view name);

}  // namespace lockstep
