#include "collective/choice/algorithm.h"

#include <array>
#include <utility>

#include "lockstep/error.h"

namespace lockstep {
namespace {

constexpr std::array<std::pair<Algorithm, const char*>, 12> NAMES{{
    {Algorithm::NONE, "none"},
    {Algorithm::RING, "ring"},
    {Algorithm::RECURSIVE_DOUBLING, "recursive-doubling"},
    {Algorithm::HALVING_DOUBLING, "halving-doubling"},
    {Algorithm::BINOMIAL_TREE, "binomial-tree"},
    {Algorithm::DOUBLE_BINARY_TREE, "double-binary-tree"},
    {Algorithm::LINEAR, "linear"},
    {Algorithm::PAIRWISE, "pairwise"},
    {Algorithm::DISSEMINATION, "dissemination"},
    {Algorithm::DIRECT, "direct"},
    {Algorithm::HIERARCHICAL, "hierarchical"},
    {Algorithm::LIBRARY, "library"},
}};

}  // namespace

std::string name_of(Algorithm algorithm) {
  for (const auto& [known, name] : NAMES) {
    if (known == algorithm) return name;
  }
  return "unknown";
}

std::optional<Algorithm> algorithm_from(std::string_view name) {
  for (const auto& [algorithm, known] : NAMES) {
    if (name == known) return algorithm;
  }
  return std::nullopt;
}

Algorithm algorithm_from(std::int32_t code) {
  for (const auto& [algorithm, name] : NAMES) {
    if (static_cast<std::int32_t>(algorithm) == code) return algorithm;
  }
  throw Error(ErrorCode::INVALID_ARGUMENT, std::to_string(code) + " is no algorithm; the codes are 0 to " +
                                               std::to_string(NAMES.size() - 1) + ".");
}

}  // namespace lockstep
