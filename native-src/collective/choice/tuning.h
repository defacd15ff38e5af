#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/export.h"
#include "lockstep/types.h"

namespace lockstep {

/// Where nobody has counted them; then only rows for any number of hosts fit.
constexpr int UNKNOWN_HOSTS = 0;

/// From least to most, both included.
struct Interval {
  static constexpr int UNLIMITED = std::numeric_limits<int>::max();

  int least = 0;
  int most = UNLIMITED;

  bool contains(int number) const { return least <= number && number <= most; }
  bool operator==(const Interval&) const = default;
};

/// "For this operation, in groups like these, below this size, use that."
struct TuningRow {
  static constexpr std::size_t UNLIMITED = std::numeric_limits<std::size_t>::max();

  Operation operation = Operation::ALL_REDUCE;
  Algorithm algorithm = Algorithm::RING;
  std::size_t below_bytes = UNLIMITED;
  Interval ranks = {};
  Interval hosts = {};

  bool operator==(const TuningRow&) const = default;
};

/// What a cluster's measurements say; equal on all ranks of a group.
struct LOCKSTEP_API Tuning {
  /// Longest message of the segmented algorithms. Gloo's ring uses the same: long enough to hide the cost of
  /// a message, short enough for two of them to stay in a core's cache while they are reduced.
  std::size_t segment_bytes = 1 << 20;

  /// The first row that fits decides; see select().
  std::vector<TuningRow> rows = default_rows();

  static std::vector<TuningRow> default_rows();

  bool operator==(const Tuning&) const = default;
};

/// Reads a tuning file (README.md has the format).
/// @param source what to call the text in errors: its path
/// @throws Error INVALID_ARGUMENT with the source and the line
LOCKSTEP_API Tuning parse_tuning(std::string_view text, const std::string& source);

/// The text that parse_tuning() reads back as `tuning`.
LOCKSTEP_API std::string format_tuning(const Tuning& tuning);

}  // namespace lockstep
