#include "learning/group.h"

#include <algorithm>

namespace lockstep::learning {
namespace {

std::int64_t address_of(const void* memory) {
  return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(memory));
}

RawRequest request_of(Operation operation, DataType type, ReduceOp op, const void* input, void* output,
                      std::size_t count) {
  RawRequest raw{};
  raw.operation = static_cast<std::int32_t>(operation);
  raw.type = static_cast<std::int32_t>(type);
  raw.op = static_cast<std::int32_t>(op);
  raw.input = address_of(input);
  raw.output = address_of(output);
  raw.count = static_cast<std::int64_t>(count);
  return raw;
}

}  // namespace

void Group::sum(std::span<std::int64_t> values) const {
  if (size() == 1) return;
  communicator_->run(request_of(Operation::ALL_REDUCE, DataType::I64, ReduceOp::SUM, values.data(),
                                values.data(), values.size()));
}

std::int64_t Group::sum(std::int64_t value) const {
  sum(std::span(&value, 1));
  return value;
}

void Group::max(std::span<double> values) const {
  if (size() == 1) return;
  communicator_->run(request_of(Operation::ALL_REDUCE, DataType::F64, ReduceOp::MAX, values.data(),
                                values.data(), values.size()));
}

double Group::max(double value) const {
  max(std::span(&value, 1));
  return value;
}

void Group::reduce_scatter(std::span<std::int64_t> input, std::span<std::int64_t> output,
                           std::span<const std::int64_t> counts) const {
  if (size() == 1) {
    std::copy(input.begin(), input.end(), output.begin());
    return;
  }
  RawRequest raw = request_of(Operation::REDUCE_SCATTER, DataType::I64, ReduceOp::SUM, input.data(),
                              output.data(), output.size());
  raw.counts = address_of(counts.data());
  communicator_->run(raw);
}

std::vector<std::int64_t> Group::lengths(std::size_t own) const {
  std::vector<std::int64_t> all(static_cast<std::size_t>(size()), static_cast<std::int64_t>(own));
  if (size() > 1) {
    const auto value = static_cast<std::int64_t>(own);
    communicator_->run(
        request_of(Operation::ALL_GATHER, DataType::I64, ReduceOp::SUM, &value, all.data(), 1));
  }
  return all;
}

void Group::gather_bytes(const void* own, std::size_t own_bytes, void* all,
                         std::span<const std::int64_t> bytes) const {
  if (size() == 1) {
    if (own_bytes > 0) std::memcpy(all, own, own_bytes);
    return;
  }
  if (std::ranges::all_of(bytes, [](std::int64_t length) { return length == 0; })) return;
  RawRequest raw = request_of(Operation::ALL_GATHER, DataType::U8, ReduceOp::SUM, own, all, own_bytes);
  raw.counts = address_of(bytes.data());
  communicator_->run(raw);
}

std::vector<std::int64_t> Group::exchange(const std::vector<std::vector<std::int64_t>>& parts,
                                          std::vector<std::int64_t>* counts) const {
  const auto ranks = static_cast<std::size_t>(size());
  if (ranks == 1) {
    *counts = {static_cast<std::int64_t>(parts[0].size())};
    return parts[0];
  }
  std::vector<std::int64_t> sent(ranks);
  double longest = 0;
  for (std::size_t r = 0; r < ranks; ++r) {
    sent[r] = static_cast<std::int64_t>(parts[r].size());
    longest = std::max(longest, static_cast<double>(parts[r].size()));
  }
  counts->assign(ranks, 0);
  communicator_->run(
      request_of(Operation::ALL_TO_ALL, DataType::I64, ReduceOp::SUM, sent.data(), counts->data(), 1));
  // All-to-all takes equal parts: the shorter ones are padded.
  const auto width = static_cast<std::size_t>(max(longest));
  if (width == 0) return {};
  std::vector<std::int64_t> out(ranks * width), in(ranks * width);
  for (std::size_t r = 0; r < ranks; ++r)
    std::ranges::copy(parts[r], out.begin() + static_cast<std::ptrdiff_t>(r * width));
  communicator_->run(
      request_of(Operation::ALL_TO_ALL, DataType::I64, ReduceOp::SUM, out.data(), in.data(), width));
  out = {};  // for 10 million rows they are as large as the rows themselves
  std::vector<std::int64_t> joined;
  joined.reserve(in.size());
  for (std::size_t r = 0; r < ranks; ++r) {
    const auto begin = in.begin() + static_cast<std::ptrdiff_t>(r * width);
    joined.insert(joined.end(), begin, begin + static_cast<std::ptrdiff_t>((*counts)[r]));
  }
  return joined;
}

}  // namespace lockstep::learning
