#include "collective/backend/widened_average.h"

#include <numeric>

#include "lockstep/gradient.h"

namespace lockstep {
namespace {

void convert_all(const std::byte* from, DataType from_type, std::byte* to, DataType to_type,
                 std::size_t count) {
  convert(reinterpret_cast<std::int64_t>(from), static_cast<std::int32_t>(from_type),
          reinterpret_cast<std::int64_t>(to), static_cast<std::int32_t>(to_type),
          static_cast<std::int64_t>(count));
}

}  // namespace

Request WidenedAverage::widen(const Request& request, int ranks) {
  std::size_t elements = request.count;
  if (request.operation == Operation::REDUCE_SCATTER) {
    elements = request.counts.empty() ? request.count * static_cast<std::size_t>(ranks)
                                      : static_cast<std::size_t>(std::accumulate(
                                            request.counts.begin(), request.counts.end(), std::int64_t{0}));
  }
  Request wide = request;
  wide.type = DataType::F32;
  std::byte* const input = input_.reserve(elements * sizeof(float));
  if (elements > 0) convert_all(request.input, DataType::F16, input, DataType::F32, elements);
  wide.input = input;
  widened_output_ = nullptr;
  if (request.output != nullptr) widened_output_ = output_.reserve(request.count * sizeof(float));
  wide.output = widened_output_;
  return wide;
}

void WidenedAverage::narrow(const Request& request) {
  if (widened_output_ == nullptr || request.count == 0) return;
  convert_all(widened_output_, DataType::F32, request.output, DataType::F16, request.count);
}

}  // namespace lockstep
