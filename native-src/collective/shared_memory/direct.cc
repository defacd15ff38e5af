#include "collective/shared_memory/direct.h"

#include <algorithm>

namespace lockstep::direct {

Range slice_of(std::size_t count, std::size_t element_bytes, int rank, int ranks) {
  const std::size_t line = std::max<std::size_t>(shared_memory::SEPARATION / element_bytes, 1);
  const auto parts = static_cast<std::size_t>(ranks);
  const std::size_t each = ((count + parts - 1) / parts + line - 1) / line * line;
  const std::size_t begin = std::min(static_cast<std::size_t>(rank) * each, count);
  return {begin, std::min(begin + each, count)};
}

}  // namespace lockstep::direct
