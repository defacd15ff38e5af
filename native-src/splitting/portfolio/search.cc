#include "splitting/portfolio/search.h"

#include <utility>

#include "splitting/portfolio/part_search.h"
#include "splitting/portfolio/reweighting.h"
#include "splitting/portfolio/whole_search.h"

namespace lockstep::splitting {

std::vector<Fold> search(Communicator& group, const RangeGraph& graph, const SensorSlices& slices,
                         const Loss& loss, Fold fold) {
  const std::vector<double> points = graph.points_at(fold.positions);
  if (can_search_whole(graph, points)) return search_whole(group, graph, slices, loss, std::move(fold));
  if (!is_consistent(graph, loss, points)) fold = search_parts(group, graph, slices, loss, std::move(fold));
  return {std::move(fold)};
}

}  // namespace lockstep::splitting
