#pragma once

/// @file
/// What stands for a row wherever it lies: a hash of its content and, among equal rows, a number.

#include <cstdint>
#include <span>
#include <vector>

#include "learning/group.h"

namespace lockstep::learning {

/// A hash of values; −0 counts as 0 and every NaN as the same.
std::uint64_t content_hash(std::span<const double> values);

/// Turns content hashes into identities: the m rows of all ranks that have the same hash become (hash, 0) …
/// (hash, m − 1) in some order. Which of the equal rows has which number depends on where they lie, but they
/// are equal, so the set of (row, identity) pairs does not. Collective.
std::vector<std::uint64_t> identities(const Group& group, std::span<const std::uint64_t> content);

}  // namespace lockstep::learning
