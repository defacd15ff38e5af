#include "splitting/network/sensor_slices.h"

#include <cstring>
#include <numeric>

namespace lockstep::splitting {
namespace {

template <typename Value>
void all_gather(Communicator& group, DataType type, const Value* own, Value* all,
                const std::vector<std::int64_t>& counts) {
  const std::int64_t count = counts[static_cast<std::size_t>(group.rank())];
  if (group.size() == 1) {
    if (count > 0) std::memcpy(all, own, static_cast<std::size_t>(count) * sizeof(Value));
    return;
  }
  group.run({.operation = static_cast<std::int32_t>(Operation::ALL_GATHER),
             .type = static_cast<std::int32_t>(type),
             .op = 0,
             .root_or_peer = 0,
             .tag = 0,
             .input = reinterpret_cast<std::int64_t>(own),
             .output = reinterpret_cast<std::int64_t>(all),
             .count = count,
             .counts = reinterpret_cast<std::int64_t>(counts.data())});
}

std::vector<std::int64_t> scaled(std::vector<std::int64_t> counts, std::size_t factor) {
  for (std::int64_t& count : counts) count *= static_cast<std::int64_t>(factor);
  return counts;
}

}  // namespace

SensorSlices::SensorSlices(Communicator& group, std::int32_t sensors, std::int32_t sensors_per_leaf)
    : group_(group), sensors_per_leaf_(sensors_per_leaf), begin_(0), end_(0) {
  const std::int64_t leaves = (static_cast<std::int64_t>(sensors) + sensors_per_leaf - 1) / sensors_per_leaf;
  for (std::int64_t rank = 0; rank < group.size(); ++rank) {
    const std::int64_t first = leaves * rank / group.size();
    const std::int64_t last = leaves * (rank + 1) / group.size();
    const std::int64_t begin = std::min<std::int64_t>(first * sensors_per_leaf, sensors);
    const std::int64_t end = std::min<std::int64_t>(last * sensors_per_leaf, sensors);
    leaves_.push_back(last - first);
    sensors_.push_back(end - begin);
    if (rank == group.rank()) {
      begin_ = static_cast<std::int32_t>(begin);
      end_ = static_cast<std::int32_t>(end);
    }
  }
}

void SensorSlices::gather(std::span<const double> own, std::span<double> all, int width) const {
  all_gather(group_, DataType::F64, own.data(), all.data(),
             scaled(sensors_, static_cast<std::size_t>(width)));
}

std::vector<double> SensorSlices::gather_lists(const std::vector<double>& own) const {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(group_.size()));
  const auto length = static_cast<std::int64_t>(own.size());
  all_gather(group_, DataType::I64, &length, lengths.data(), std::vector<std::int64_t>(lengths.size(), 1));
  std::vector<double> all(static_cast<std::size_t>(std::accumulate(lengths.begin(), lengths.end(), 0L)));
  if (!all.empty()) all_gather(group_, DataType::F64, own.data(), all.data(), lengths);
  return all;
}

std::vector<double> SensorSlices::gather_leaves(const std::vector<double>& own, std::size_t width) const {
  if (group_.size() == 1) return own;
  const std::vector<std::int64_t> counts = scaled(leaves_, width);
  std::vector<double> all(static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), 0L)));
  all_gather(group_, DataType::F64, own.data(), all.data(), counts);
  return all;
}

}  // namespace lockstep::splitting
